//! Opens the client for a command.

use crate::{
    args::DeviceArgs,
    declarations,
    failure::Failure,
    keys,
    named::{self, Candidate, Kind},
    output::Output,
    tokens::{self, TokensIn},
};
use fieldpost::{Client, ConversationSummary, Fieldpost, MedicId, Person, PersonId, RecordReport, Rhythm, SyncReport};
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Said to somebody who has no project yet.
#[cfg(feature = "demo")]
pub(crate) const WAYS_ON: &str = "which project? There are two ways on:\n  \
    to try it: run `fieldpost serve` in another terminal, and copy the lines that it prints\n  \
    a Supabase project: set SUPABASE_URL and SUPABASE_ANON_KEY, or give --url and --anon-key \
    (`fieldpost sql export` has the SQL that the project needs)";
#[cfg(not(feature = "demo"))]
pub(crate) const WAYS_ON: &str = "which project? Set SUPABASE_URL and SUPABASE_ANON_KEY, or give --url and --anon-key \
    (`fieldpost sql export` has the SQL that the project needs)";

/// What a sync did.
#[derive(Debug, Serialize)]
pub(crate) struct Synced {
    #[serde(flatten)]
    pub(crate) messages: SyncReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) records: Option<RecordReport>,
}

/// The client of this command line, and whether a server was given.
pub(crate) struct Device {
    pub(crate) client: Client,
    has_server: bool,
    /// Where tokens are to lie, if somebody has chosen.
    pub(crate) tokens: Option<TokensIn>,
}

impl Device {
    /// Opens the file; a server is optional.
    pub(crate) async fn open(args: &DeviceArgs, rhythm: Rhythm, output: &Output) -> Result<Self, Failure> {
        let path = database(args)?;
        let was_readable = readable_by_others(&path);
        let device = Self::open_file(args, rhythm, &path).await?;
        if was_readable {
            output.note(&match readable_by_others(&path) {
                false => format!("other users of this machine could read {}; now only you can", path.display()),
                true => {
                    format!("other users of this machine can read {}, and that could not be changed", path.display())
                }
            });
        }
        Ok(device)
    }

    async fn open_file(args: &DeviceArgs, rhythm: Rhythm, path: &Path) -> Result<Self, Failure> {
        let builder = Fieldpost::builder()
            .database(path)
            .app(concat!("fieldpost-cli/", env!("CARGO_PKG_VERSION")))
            .rhythm(rhythm)
            .typing()
            .known_records();
        let builder = tokens::kept(builder, args)?;
        let builder = match &args.tables {
            Some(tables) => builder.records(declarations::read(tables)?),
            None => builder,
        };
        let builder = match args.send_ttl {
            Some(seconds) => builder.send_ttl(Duration::from_secs(seconds)),
            None => builder,
        };
        let builder = match keys::of(args)? {
            Some(key) => builder.key(key),
            None => builder,
        };
        let builder = if args.allow_http { builder.allow_http() } else { builder };
        let builder = match (&args.url, &args.anon_key) {
            (Some(url), Some(key)) if !args.offline => {
                return Ok(Self {
                    client: builder.url(url).anon_key(key).open().await?,
                    has_server: true,
                    tokens: args.tokens,
                });
            }
            _ => builder.local_only(),
        };
        Ok(Self { client: builder.open().await?, has_server: false, tokens: args.tokens })
    }

    /// Opens the file for a command that needs the server.
    pub(crate) async fn open_online(args: &DeviceArgs, rhythm: Rhythm, output: &Output) -> Result<Self, Failure> {
        if args.offline {
            return Err(Failure::usage("this command needs the server; leave --offline out"));
        }
        if args.url.is_none() || args.anon_key.is_none() {
            return Err(Failure::usage(WAYS_ON));
        }
        Self::open(args, rhythm, output).await
    }

    pub(crate) const fn has_server(&self) -> bool {
        self.has_server
    }

    /// Says that nothing is here yet, and how something comes here.
    pub(crate) fn tell_empty(&self, what: &str, output: &Output) {
        match self.has_server {
            true => output.tell(&format!("{what} Run `fieldpost sync`.")),
            false => output.tell(&format!("{what}\n{WAYS_ON}")),
        }
    }

    /// Syncs records, if there are any, and messages, with a progress bar during a first load.
    pub(crate) async fn sync(&self, output: &Output) -> Result<Synced, Failure> {
        let bar = output.progress();
        let mut status = self.client.status();
        let sync = self.sync_what_there_is();
        tokio::pin!(sync);
        let result = loop {
            tokio::select! {
                result = &mut sync => break result,
                Ok(()) = status.changed() => bar.show(&status.borrow_and_update()),
            }
        };
        bar.done();
        result
    }

    /// A failure of one side comes after both have been synced.
    async fn sync_what_there_is(&self) -> Result<Synced, Failure> {
        if !self.client.has_records() {
            return Ok(Synced { messages: self.client.sync().await?, records: None });
        }
        let report = self.client.trigger_sync().await?;
        let messages = report.messages.map_err(fieldpost::Error::from)?;
        let records = report.records.map_err(fieldpost::Error::from)?;
        Ok(Synced { messages, records: Some(records) })
    }

    /// After a local write: syncs if a server was given.
    pub(crate) async fn sync_if_possible(&self, output: &Output) -> Result<(), Failure> {
        if self.has_server && self.client.is_signed_in().await? {
            self.sync(output).await?;
        }
        Ok(())
    }

    /// The conversation that a person named: by its name or its id, or a part of either.
    pub(crate) async fn find_conversation(&self, wanted: &str) -> Result<ConversationSummary, Failure> {
        // An id from before the server gave another one still means the conversation.
        if let Ok(id) = wanted.parse()
            && let Some(found) = self.client.conversation(id).summary().await?
        {
            return Ok(found);
        }
        let all = self.client.conversations().await?.into_iter().map(|conversation| Candidate {
            name: conversation.participant_name.clone(),
            ids: vec![conversation.id.to_string()],
            what: conversation,
        });
        let kind = Kind { one: "conversation", several: "conversations", listed_by: "conversations" };
        named::find(all.collect(), wanted, &kind)
    }

    /// The person whom a person named, likewise.
    pub(crate) async fn find_person(&self, wanted: &str) -> Result<PersonId, Failure> {
        let mut people = self.client.people().await?;
        // A person in two orgs has a row in each.
        let mut seen = std::collections::HashSet::new();
        people.retain(|person| seen.insert(person.id));
        let candidate = |person: Person| Candidate {
            name: person.display_name(),
            ids: std::iter::once(person.id.to_string()).chain(person.medic_id.map(|id| id.to_string())).collect(),
            what: person.id,
        };
        let kind = Kind { one: "person", several: "people", listed_by: "people" };
        named::find(people.into_iter().map(candidate).collect(), wanted, &kind)
    }

    /// The medic that a person named, likewise.
    pub(crate) async fn find_medic(&self, wanted: &str) -> Result<MedicId, Failure> {
        let candidate = |person: Person| {
            let medic = person.medic_id?;
            let ids = vec![medic.to_string(), person.id.to_string()];
            Some(Candidate { name: person.display_name(), ids, what: medic })
        };
        let medics = self.client.people().await?.into_iter().filter_map(candidate);
        let kind = Kind { one: "medic", several: "medics", listed_by: "people" };
        named::find(medics.collect(), wanted, &kind)
    }
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_path: &Path) -> bool {
    false
}

/// Where the database of this command line is.
pub(crate) fn database(args: &DeviceArgs) -> Result<PathBuf, Failure> {
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
