//! The process that `cargo xtask crash` kills.

use clap::Parser;
use fieldpost_tests::crash::writer;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    writer::main(writer::Args::parse()).await
}
