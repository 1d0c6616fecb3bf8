//! The project check of `fieldpost doctor --project`: preflight, as the owner of the tables, through `psql`.

use super::sql;
use crate::terminal::one_line;
use serde::{Deserialize, Serialize};
use std::process::Stdio;
use tokio::{io::AsyncWriteExt, process::Command};
use url::Url;

/// One finding of preflight.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sentence {
    level: String,
    about: String,
    finding: String,
    advice: Option<String>,
}

impl Sentence {
    /// Whether somebody should act on it.
    pub(super) fn is_odd(&self) -> bool {
        !matches!(self.level.as_str(), "fits" | "adapts")
    }

    pub(super) fn line(&self) -> String {
        let advice = self.advice.as_deref().map_or_else(String::new, |advice| format!(" {advice}"));
        format!("project   {}", one_line(&format!("{}: {}{advice}", self.level, self.finding)))
    }
}

/// Runs preflight. Errors leave out the URL, because it contains the password.
pub(super) async fn look(database_url: &str) -> Result<Vec<Sentence>, String> {
    let url = Url::parse(database_url)
        .map_err(|_| "--project is no URL of a database: postgres://USER:PASSWORD@HOST:PORT/DATABASE")?;
    let mut command = Command::new("psql");
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
    point(&mut command, &url);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot run psql, which asks the project: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A psql that ends early closes the pipe; its exit code reports that.
        let _ = stdin.write_all(sql::preflight_as_json().as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("the project could not be asked: {}", said.lines().next().unwrap_or("psql said nothing")));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("preflight answered something else: {error}"))
}

/// Passes the connection settings in the environment, which other users of the machine cannot read.
fn point(command: &mut Command, url: &Url) {
    let decoded = |text: &str| {
        url::form_urlencoded::parse(text.replace('+', "%2B").as_bytes()).next().map(|(name, _)| name.into_owned())
    };
    let parts = [
        ("PGHOST", url.host_str().map(str::to_owned)),
        ("PGPORT", url.port().map(|port| port.to_string())),
        ("PGUSER", decoded(url.username())),
        ("PGPASSWORD", url.password().and_then(decoded)),
        ("PGDATABASE", url.path_segments().and_then(|mut parts| parts.next()).and_then(decoded)),
        ("PGSSLMODE", url.query_pairs().find(|(name, _)| name == "sslmode").map(|(_, mode)| mode.into_owned())),
    ];
    for (name, value) in parts {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            command.env(name, value);
        }
    }
}
