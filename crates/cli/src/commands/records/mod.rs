//! `fieldpost records`: records of the declared tables.
//!
//! Without `--tables` these are the four clinical ones.

mod change;
mod conflicts;
mod fields;
mod list;
mod text;

pub(super) use text::shown_fields;

use crate::{device::Device, failure::Failure, output::Output};
use clap::Subcommand;
use fieldpost::records::TableName;

/// What to do with records.
#[derive(Debug, Subcommand)]
pub(crate) enum Records {
    /// List the tables, each with the number of its records
    Tables,
    /// List records, the newest first
    List {
        /// The table
        #[arg(value_parser = table)]
        table: TableName,
        /// Only records with this value in this column; several conditions must all hold
        #[arg(long = "where", value_name = "COLUMN=VALUE")]
        conditions: Vec<String>,
        /// How many records at most
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        limit: u32,
    },
    /// Show a record; that is added to the audit log
    Show {
        /// The table
        #[arg(value_parser = table)]
        table: TableName,
        /// The record's id, or a part of it
        record: String,
    },
    /// Create a record; it is saved at once and sent now or with the next sync
    Create {
        /// The table
        #[arg(value_parser = table)]
        table: TableName,
        /// The fields
        #[arg(value_name = "COLUMN=VALUE", required = true)]
        fields: Vec<String>,
    },
    /// Change fields of a record; COLUMN= clears one
    Update {
        /// The table
        #[arg(value_parser = table)]
        table: TableName,
        /// The record's id, or a part of it
        record: String,
        /// The fields
        #[arg(value_name = "COLUMN=VALUE", required = true)]
        fields: Vec<String>,
    },
    /// Delete a record
    Delete {
        /// The table
        #[arg(value_parser = table)]
        table: TableName,
        /// The record's id, or a part of it
        record: String,
    },
    /// List changes of this device that lost against later ones, and decide about them
    Conflicts {
        #[command(subcommand)]
        decision: Option<Decision>,
    },
}

/// What to do with a lost change.
#[derive(Debug, Subcommand)]
pub(crate) enum Decision {
    /// Make the change again, as a new one
    Reapply {
        /// The id of the mutation, or a part of it
        which: String,
    },
    /// Let the winner stand
    Dismiss {
        /// The id of the mutation, or a part of it
        which: String,
    },
}

fn table(text: &str) -> Result<TableName, String> {
    TableName::new(text).map_err(|error| error.to_string())
}

pub(super) async fn run(device: &Device, what: Records, output: &Output) -> Result<(), Failure> {
    match what {
        Records::Tables => list::tables(device, output).await,
        Records::List { table, conditions, limit } => list::records(device, &table, &conditions, limit, output).await,
        Records::Show { table, record } => list::show(device, &table, &record, output).await,
        Records::Create { table, fields } => change::create(device, &table, &fields, output).await,
        Records::Update { table, record, fields } => change::update(device, &table, &record, &fields, output).await,
        Records::Delete { table, record } => change::delete(device, &table, &record, output).await,
        Records::Conflicts { decision } => conflicts::run(device, decision, output).await,
    }
}
