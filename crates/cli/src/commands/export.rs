//! `fieldpost export`.

use crate::{device::Device, failure::Failure, output::Output};
use fieldpost::{Export, ExportFormat};
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// What to export, and where to.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The conversation's id, a part of it, or its name
    conversation: String,
    /// Text for people, which is the default; --json writes one JSON object per line
    #[arg(long, conflicts_with = "json")]
    text: bool,
    /// A new file; without it the export is printed
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

pub(super) async fn run(device: &Device, arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let id = device.find_conversation(&arguments.conversation).await?.id;
    let format = if output.is_json() { ExportFormat::JsonLines } else { ExportFormat::Text };
    let mut export = device.client.conversation(id).export(format).await?;
    let Some(file) = &arguments.to else {
        while let Some(line) = export.next_line().await? {
            output.raw(&format!("{line}\n"));
        }
        return Ok(());
    };
    let lines = write(&mut export, file).await?;
    if !output.is_json() {
        output.tell(&format!("{lines} lines in {}", file.display()));
    }
    Ok(())
}

/// Writes a new file; one that is there is not overwritten.
async fn write(export: &mut Export, file: &Path) -> Result<u64, Failure> {
    let failed = |error: io::Error| Failure::error(format!("{} cannot be written: {error}", file.display()));
    let mut writer = BufWriter::new(File::create_new(file).map_err(failed)?);
    let mut lines = 0;
    while let Some(line) = export.next_line().await? {
        writeln!(writer, "{line}").map_err(failed)?;
        lines += 1;
    }
    writer.flush().map_err(failed)?;
    Ok(lines)
}
