//! Opens the client for a command.

use crate::{args::DeviceArgs, failure::Failure, output::Output};
use fieldpost::{Client, ConversationSummary, Fieldpost, Person, Rhythm, SyncReport};
use std::{path::PathBuf, time::Duration};

/// The client of this command line, and whether a server was given.
pub(crate) struct Device {
    pub(crate) client: Client,
    has_server: bool,
}

impl Device {
    /// Opens the file; a server is optional.
    pub(crate) async fn open(args: &DeviceArgs, rhythm: Rhythm) -> Result<Self, Failure> {
        let builder = Fieldpost::builder()
            .database(database(args)?)
            .app(concat!("fieldpost-cli/", env!("CARGO_PKG_VERSION")))
            .rhythm(rhythm);
        let builder = match args.send_ttl {
            Some(seconds) => builder.send_ttl(Duration::from_secs(seconds)),
            None => builder,
        };
        let builder = match (&args.url, &args.anon_key) {
            (Some(url), Some(key)) if !args.offline => {
                return Ok(Self { client: builder.url(url).anon_key(key).open().await?, has_server: true });
            }
            _ => builder.local_only(),
        };
        Ok(Self { client: builder.open().await?, has_server: false })
    }

    /// Opens the file for a command that needs the server.
    pub(crate) async fn open_online(args: &DeviceArgs, rhythm: Rhythm) -> Result<Self, Failure> {
        if args.offline {
            return Err(Failure::usage("this command needs the server; leave --offline out"));
        }
        if args.url.is_none() || args.anon_key.is_none() {
            return Err(Failure::usage(
                "which project? Give --url and --anon-key, or set SUPABASE_URL and SUPABASE_ANON_KEY",
            ));
        }
        Self::open(args, rhythm).await
    }

    pub(crate) const fn has_server(&self) -> bool {
        self.has_server
    }

    /// Syncs, with a progress bar during a first load.
    pub(crate) async fn sync(&self, output: &Output) -> Result<SyncReport, Failure> {
        let bar = output.progress();
        let mut status = self.client.status();
        let sync = self.client.sync();
        tokio::pin!(sync);
        let result = loop {
            tokio::select! {
                result = &mut sync => break result,
                Ok(()) = status.changed() => bar.show(&status.borrow_and_update()),
            }
        };
        bar.done();
        Ok(result?)
    }

    /// After a local write: syncs if a server was given.
    pub(crate) async fn sync_if_possible(&self, output: &Output) -> Result<(), Failure> {
        if self.has_server && self.client.is_signed_in().await? {
            self.sync(output).await?;
        }
        Ok(())
    }

    /// The conversation that a person named: by id, by a unique part of it, or by name.
    pub(crate) async fn find_conversation(&self, wanted: &str) -> Result<ConversationSummary, Failure> {
        if let Ok(id) = wanted.parse()
            && let Some(found) = self.client.conversation(id).summary().await?
        {
            return Ok(found);
        }
        let all = self.client.conversations().await?;
        let name = |conversation: &ConversationSummary| conversation.participant_name.clone();
        find(all, wanted, "conversation", |conversation| conversation.id.to_string(), name)
    }

    /// The medic that a person named, likewise.
    pub(crate) async fn find_medic(&self, wanted: &str) -> Result<Person, Failure> {
        let mut medics = self.client.people().await?;
        medics.retain(|person| person.medic_id.is_some());
        let id = |person: &Person| person.medic_id.map(|id| id.to_string()).unwrap_or_default();
        let name = |person: &Person| person.full_name().unwrap_or_default();
        find(medics, wanted, "medic", id, name)
    }
}

fn find<T>(
    all: Vec<T>,
    wanted: &str,
    what: &str,
    id: impl Fn(&T) -> String,
    name: impl Fn(&T) -> String,
) -> Result<T, Failure> {
    let wanted = wanted.to_lowercase();
    // Fewer than four characters of an id are likely an accident.
    let by_id = |item: &T| wanted.len() >= 4 && id(item).contains(&wanted);
    let mut found: Vec<T> = all.into_iter().filter(|item| by_id(item) || name(item).to_lowercase() == wanted).collect();
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(Failure::error(format!(
            "there is no {what} {wanted:?} on this device; sync first, or list with `fieldpost {}`",
            if what == "medic" { "people" } else { "conversations" }
        ))),
        (Some(_), more) => Err(Failure::usage(format!("{wanted:?} names {} {what}s; give the whole id", more + 1))),
    }
}

fn database(args: &DeviceArgs) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.db {
        return Ok(path.clone());
    }
    let folders = directories::ProjectDirs::from("", "", "fieldpost")
        .ok_or_else(|| Failure::usage("this platform has no data folder; say where with --db PATH"))?;
    let folder = folders.data_dir();
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::error(format!("cannot create the folder {}: {error}", folder.display())))?;
    Ok(folder.join("fieldpost.db"))
}
