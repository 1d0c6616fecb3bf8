//! One module per command.

mod audit;
pub(crate) mod broadcast;
pub(crate) mod conversations;
pub(crate) mod delete;
mod doctor;
pub(crate) mod draft;
pub(crate) mod edit;
pub(crate) mod export;
pub(crate) mod history;
mod import;
pub(crate) mod key;
mod messages;
mod open;
mod outbox;
mod people;
mod project;
pub(crate) mod queue;
pub(crate) mod react;
mod read;
mod receipts;
pub(crate) mod records;
pub(crate) mod report;
pub(crate) mod search;
mod send;
#[cfg(feature = "demo")]
mod serve;
mod session;
pub(crate) mod set;
mod sql;
mod status;
mod sync;
mod text;
pub(crate) mod typing;
mod watch;

use crate::{
    args::{Args, Command, DeviceArgs},
    device::Device,
    failure::Failure,
    output::Output,
    tokens,
};
use fieldpost::Rhythm;

/// Carries out the command.
pub(crate) async fn run(args: Args, output: &Output) -> Result<(), Failure> {
    match args.command {
        #[cfg(feature = "demo")]
        Command::Demo { messages, backlog } => crate::demo::run(messages, backlog, output).await,
        #[cfg(feature = "demo")]
        Command::DemoWriter { conversation, messages } => {
            let database = args.device.db.ok_or_else(|| Failure::usage("demo-writer needs --db"))?;
            crate::demo::write_and_wait(&database, conversation, messages, output).await
        }
        #[cfg(feature = "demo")]
        Command::Serve { port } => serve::run(port, output).await,
        Command::Sql { what } => sql::run(&what, output),
        Command::ImportWatermelon { file, into } => import::run(&args.device, &file, into, output).await,
        Command::Key { what } => key::run(&args.device, what, output).await,
        command => on_a_device(&args.device, command, output).await,
    }
}

/// Opens the device, and closes it whatever the command's result, so that the file is left tidy.
async fn on_a_device(args: &DeviceArgs, command: Command, output: &Output) -> Result<(), Failure> {
    let args = &with_tables(args, &command);
    let args = &match &command {
        Command::Login { .. } => tokens::decided(args, output).await,
        _ => args.clone(),
    };
    let device = match command {
        Command::Sync { every, .. } => Device::open_online(args, sync::rhythm(every), output).await?,
        Command::Login { .. } | Command::Reports(_) | Command::Typing(_) => {
            Device::open_online(args, Rhythm::default(), output).await?
        }
        _ => Device::open(args, Rhythm::default(), output).await?,
    };
    let result = with(&device, command, output).await;
    let closed = device.client.close().await;
    result.and(closed.map_err(Failure::from))
}

/// A command about records declares the clinical tables, unless others are given.
fn with_tables(args: &DeviceArgs, command: &Command) -> DeviceArgs {
    let about_records = matches!(command, Command::Records { .. } | Command::Queue { .. } | Command::Audit);
    let clinical = || about_records.then(|| crate::declarations::CLINICAL.into());
    DeviceArgs { tables: args.tables.clone().or_else(clinical), ..args.clone() }
}

async fn with(device: &Device, command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Login { email, password_stdin: _ } => session::login(device, &email, output).await,
        Command::Logout { wipe } => session::logout(device, wipe, output).await,
        Command::Sync { watch: false, .. } => sync::once(device, output).await,
        Command::Sync { watch: true, .. } => watch::run(device, output).await,
        Command::Conversations(arguments) => conversations::run(device, &arguments, output).await,
        Command::Draft(arguments) => draft::run(device, &arguments, output).await,
        Command::Typing(arguments) => typing::run(device, &arguments, output).await,
        Command::Unread(unread) => set::run(device, set::Setting::Unread(unread), output).await,
        Command::Pin(which) => set::run(device, set::Setting::Pin(which), output).await,
        Command::Unpin(which) => set::run(device, set::Setting::Unpin(which), output).await,
        Command::Mute(mute) => set::run(device, set::Setting::Mute(mute), output).await,
        Command::Unmute(which) => set::run(device, set::Setting::Unmute(which), output).await,
        Command::Archive(which) => set::run(device, set::Setting::Archive(which), output).await,
        Command::Unarchive(which) => set::run(device, set::Setting::Unarchive(which), output).await,
        Command::Messages { conversation, limit } => messages::run(device, &conversation, limit, output).await,
        Command::History(arguments) => history::run(device, &arguments, output).await,
        Command::Edit(arguments) => edit::run(device, &arguments, output).await,
        Command::React(arguments) => react::run(device, &arguments, output).await,
        Command::Report(arguments) => report::report(device, &arguments, output).await,
        Command::Reports(which) => report::reports(device, &which, output).await,
        Command::Delete(arguments) => delete::run(device, &arguments, output).await,
        Command::Search(arguments) => search::run(device, &arguments, output).await,
        Command::Export(arguments) => export::run(device, &arguments, output).await,
        Command::Send { conversation, text } => send::run(device, &conversation, &text, output).await,
        Command::Broadcast(arguments) => broadcast::run(device, &arguments, output).await,
        Command::Receipts { message } => receipts::run(device, &message, output).await,
        Command::Open { medic } => open::run(device, &medic, output).await,
        Command::People => people::run(device, output).await,
        Command::Read { conversation } => read::run(device, &conversation, output).await,
        Command::Outbox { limit, decision: None } => outbox::list(device, limit, output).await,
        Command::Outbox { decision: Some(decision), .. } => outbox::decide(device, decision, output).await,
        Command::Records { what } => records::run(device, what, output).await,
        Command::Queue { limit, decision } => queue::run(device, limit, decision, output).await,
        Command::Audit => audit::run(device, output).await,
        Command::Doctor { project } => doctor::run(device, project.as_deref(), output).await,
        Command::Status => status::run(device, output).await,
        Command::Sql { .. } | Command::ImportWatermelon { .. } | Command::Key { .. } => {
            Err(Failure::usage("this command needs no device"))
        }
        #[cfg(feature = "demo")]
        Command::Demo { .. } | Command::DemoWriter { .. } | Command::Serve { .. } => {
            Err(Failure::usage("this command brings its own devices"))
        }
    }
}
