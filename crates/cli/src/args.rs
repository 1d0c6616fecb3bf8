//! The command line.

use crate::tokens::TokensIn;
use clap::{Args as ClapArgs, Parser, Subcommand};
use std::path::PathBuf;

/// Offline-first messaging for field teams on Supabase.
#[derive(Debug, Parser)]
#[command(name = "fieldpost", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) device: DeviceArgs,

    /// Print JSON, one value per line, instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The database file and the project.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct DeviceArgs {
    /// The local database; one per account [default: fieldpost.db in the platform's data folder]
    #[arg(long, global = true, env = "FIELDPOST_DB", value_name = "PATH")]
    pub(crate) db: Option<PathBuf>,

    /// The project's URL
    #[arg(long, global = true, env = "SUPABASE_URL", value_name = "URL")]
    pub(crate) url: Option<String>,

    /// The project's public key
    #[arg(long, global = true, env = "SUPABASE_ANON_KEY", value_name = "KEY", hide_env_values = true)]
    pub(crate) anon_key: Option<String>,

    /// Allow http:// to another machine, on a network that you trust: passwords and messages travel unencrypted
    #[arg(long, global = true, env = "FIELDPOST_ALLOW_HTTP", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) allow_http: bool,

    /// Seconds that a message may wait; after that it is not sent but fails as `expired`
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) send_ttl: Option<u64>,

    /// The tables of records: `clinical`, or a file with a JSON list of declarations; the database remembers them
    #[arg(long, global = true, env = "FIELDPOST_TABLES", value_name = "clinical|FILE")]
    pub(crate) tables: Option<PathBuf>,

    /// The file with the key of an encrypted database: 64 hexadecimal digits, or 32 bytes (`fieldpost key new` makes one)
    #[arg(long, global = true, env = "FIELDPOST_KEY_FILE", value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,

    /// Where the tokens of the session lie [default: the keyring of the platform, where there is one, else the file]
    #[arg(long, global = true, env = "FIELDPOST_TOKENS", value_enum)]
    pub(crate) tokens: Option<TokensIn>,

    /// Only touch the local database, as if there were no network
    #[arg(long, global = true)]
    pub(crate) offline: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell the whole story on a server of its own: offline, crash, lost response, and nothing lost or doubled
    #[cfg(feature = "demo")]
    Demo {
        /// How many messages the medic writes offline
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        messages: u32,
        /// How many messages wait before the treatment that is to be reported
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        backlog: u32,
    },
    /// The medic's app of the demo: writes, then waits to be killed
    #[cfg(feature = "demo")]
    #[command(hide = true)]
    DemoWriter {
        /// The conversation to write in
        conversation: fieldpost::ConversationId,
        /// How many messages
        messages: u32,
    },
    /// Run a local stand-in for a Supabase project, with demo users
    #[cfg(feature = "demo")]
    Serve {
        /// The port on 127.0.0.1; 0 takes a free port
        #[arg(long, default_value_t = 54321)]
        port: u16,
    },
    /// Sign in; the password comes on standard input
    Login {
        /// The address of the account
        #[arg(long)]
        email: String,
        /// Read the password from standard input (its first line)
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Forget the session; messages and unsent changes stay, unless --wipe is given
    Logout {
        /// Forget everything: messages, unsent changes, and whose database it is
        #[arg(long)]
        wipe: bool,
    },
    /// Send what is queued, and fetch what is new
    Sync {
        /// Keep syncing until interrupted, and print what arrives, and the status whenever it changes
        #[arg(long)]
        watch: bool,
        /// Seconds between two syncs with --watch; what the server tells of by live hints comes at once
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
        every: u64,
    },
    /// List the conversations, pinned ones first; without those in the archive
    Conversations(crate::commands::conversations::Arguments),
    /// Show a thread
    Messages {
        /// The conversation's id, a part of it, or its name
        conversation: String,
        /// How many of the newest messages
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
    },
    /// Find messages on this device by their words
    Search(crate::commands::search::Arguments),
    /// Show older messages of a conversation too, fetched from the server if they are not here
    History(crate::commands::history::Arguments),
    /// Write a message; it is saved at once and sent now or with the next sync
    Send {
        /// The conversation's id, a part of it, or its name
        conversation: String,
        /// What to write
        #[arg(allow_hyphen_values = true, value_parser = text)]
        text: String,
    },
    /// Change the text of one's own message; it shows at once and is sent now or with the next sync
    Edit(crate::commands::edit::Arguments),
    /// Give a message a reaction, or take it back with --remove
    React(crate::commands::react::Arguments),
    /// Delete one's own message, or as an admin anybody's
    Delete(crate::commands::delete::Arguments),
    /// Report somebody else's message to the admins of the organization
    Report(crate::commands::report::Arguments),
    /// List the reports of messages, as an admin, and mark them as dealt with
    Reports(crate::commands::report::Which),
    /// Tell everybody in the organization, as an admin
    Broadcast(crate::commands::broadcast::Arguments),
    /// Show who has received and read a message, and when
    Receipts {
        /// The message's id, or a part of it
        message: String,
    },
    /// Write a conversation as text or JSON, as far as it is on this device, with what is missing named
    Export(crate::commands::export::Arguments),
    /// Open the conversation with a medic
    Open {
        /// The medic's id, a part of it, or the medic's name
        #[arg(long)]
        medic: String,
    },
    /// List the people of the org
    People,
    /// Mark a thread as read, up to the newest message on this device
    Read {
        /// The conversation's id, a part of it, or its name
        conversation: String,
    },
    /// Mark a thread as unread, from a message on
    Unread(crate::commands::set::Unread),
    /// Keep, show, send or remove what you have begun to write
    Draft(crate::commands::draft::Arguments),
    /// Show who is writing in a conversation, or tell the others that you are
    Typing(crate::commands::typing::Arguments),
    /// Put a conversation at the top of the list, on all your devices
    Pin(crate::commands::set::Which),
    /// End a pin
    Unpin(crate::commands::set::Which),
    /// Mute a conversation: its unread messages do not count for the badge
    Mute(crate::commands::set::Mute),
    /// End a mute
    Unmute(crate::commands::set::Which),
    /// Archive a conversation, until somebody else writes in it
    Archive(crate::commands::set::Which),
    /// Take a conversation out of the archive
    Unarchive(crate::commands::set::Which),
    /// List what is queued and what the server refused, and decide about it
    Outbox {
        /// How many entries at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,

        #[command(subcommand)]
        decision: Option<Decision>,
    },
    /// Records: rows of the app's own tables, by default the clinical ones
    Records {
        #[command(subcommand)]
        what: crate::commands::records::Records,
    },
    /// List the changes of records that wait, by priority, and decide about them
    Queue {
        /// How many entries at most
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,

        #[command(subcommand)]
        decision: Option<crate::commands::queue::Decision>,
    },
    /// Show how much of the audit log waits to be uploaded
    Audit,
    /// Make a database from the file of the app that Fieldpost replaces (WatermelonDB); the file stays as it is
    ImportWatermelon {
        /// The file of the app
        file: PathBuf,
        /// The database to make [default: that of --db]
        #[arg(long, value_name = "DB")]
        into: Option<PathBuf>,
    },
    /// Make a key, or encrypt the database with one, give it another one, or make it plain again
    Key {
        #[command(subcommand)]
        what: crate::commands::key::What,
    },
    /// Show the status
    Status,
    /// Check everything, here and on the server, and say what to do
    Doctor {
        /// Check the project itself too, as the owner of its tables (needs psql)
        #[arg(long, env = "FIELDPOST_DATABASE_URL", hide_env_values = true, value_name = "DATABASE_URL")]
        project: Option<String>,
    },
    /// The SQL that a Supabase project needs
    Sql {
        #[command(subcommand)]
        what: Sql,
    },
}

/// Which SQL, and its destination.
#[derive(Debug, Subcommand)]
pub(crate) enum Sql {
    /// Write everything as one migration that sorts last: for a new project, an existing one and an upgrade
    Export {
        /// The folder of the migrations; - prints it
        #[arg(long, default_value = "supabase/migrations", value_name = "FOLDER")]
        to: PathBuf,
        /// Let Fieldpost switch row level security on where it is off on a messaging table, and refuse rows above its limits there
        #[arg(long)]
        adopt: bool,
    },
    /// Write the clinical tables and the audit log as a migration of their own, for projects that want them
    Clinical {
        /// The folder of the migrations; - prints it
        #[arg(long, default_value = "supabase/migrations", value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Print a script that says what fits, what will be adapted and what cannot be; it installs nothing
    Preflight,
    /// Print what a project with more than half a million messages applies first
    Prepare,
}

/// A text may begin with a hyphen ("-5 degrees"). But one that looks like an option is a mistake, which must not be sent to
/// somebody, unless it comes after `--`.
pub(crate) fn text(text: &str) -> Result<String, String> {
    let told_apart = || std::env::args_os().any(|argument| argument == "--");
    let name = text.strip_prefix("--").and_then(|name| name.chars().next());
    let is_option = name.is_some_and(|first| first.is_ascii_alphabetic()) && !text.contains(char::is_whitespace);
    match is_option && !told_apart() {
        true => Err(format!("there is no option {text}; to write it, put -- before the text")),
        false => Ok(text.to_owned()),
    }
}

/// What to do with an outbox entry.
#[derive(Debug, Subcommand)]
pub(crate) enum Decision {
    /// Send something again that the server refused; it goes to the end of the outbox
    Retry {
        /// The id of the message or the mutation, or a part of it
        #[arg(required_unless_present = "all")]
        which: Option<String>,
        /// Everything that was refused
        #[arg(long, conflicts_with = "which")]
        all: bool,
    },
    /// Change the text of a message that the server does not have yet
    Edit {
        /// The id of the message or the mutation, or a part of it
        which: String,
        /// The new text
        #[arg(allow_hyphen_values = true, value_parser = text)]
        text: String,
    },
    /// Cancel something that the server does not have yet
    #[command(visible_alias = "discard")]
    Cancel {
        /// The id of the message or the mutation, or a part of it
        #[arg(required_unless_present = "all")]
        which: Option<String>,
        /// Everything that was refused; what still waits for the server stays
        #[arg(long, conflicts_with = "which")]
        all: bool,
    },
}
