//! Runs the tool.

use fieldpost_devserver::{DevServer, FaultProxy};
use serde_json::Value;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

pub(crate) const ADA: &str = "ada@fieldpost.test";
pub(crate) const PASSWORD: &str = "fieldpost-demo";

/// A run's output and exit status.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The JSON values it printed.
    pub(crate) fn json(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A terminal with a database and, usually, a project.
pub(crate) struct Terminal {
    folder: TempDir,
    pub(crate) database: PathBuf,
    pub(crate) url: Option<String>,
    pub(crate) key: Option<String>,
    /// More of the environment.
    pub(crate) variables: Vec<(&'static str, String)>,
}

/// Variables of whoever runs the tests that would change what is printed or where requests go.
const FOREIGN: [&str; 15] = [
    "FIELDPOST_KEY_FILE",
    "FIELDPOST_DATABASE_URL",
    "FIELDPOST_ALLOW_HTTP",
    "FIELDPOST_LOG",
    "COLUMNS",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

impl Terminal {
    /// A terminal without a project.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("phone.db");
        Self { folder, database, url: None, key: None, variables: Vec::new() }
    }

    pub(crate) fn with(url: &str, key: &str) -> Self {
        Self { url: Some(url.to_owned()), key: Some(key.to_owned()), ..Self::new() }
    }

    /// The same terminal with more variables in its environment.
    pub(crate) fn own(self, variables: Vec<(&'static str, String)>) -> Self {
        Self { variables, ..self }
    }

    /// Another terminal on the same file.
    pub(crate) fn here(&self, variables: Vec<(&'static str, String)>) -> Self {
        Self { database: self.database.clone(), url: self.url.clone(), key: self.key.clone(), variables, ..Self::new() }
    }

    /// A terminal signed in as Ada and synced once.
    pub(crate) fn of_ada(server: &DevServer) -> Self {
        Self::with(server.url(), server.anon_key()).signed_in_as_ada()
    }

    /// The same behind a network that fails on command.
    pub(crate) fn of_ada_behind(network: &FaultProxy, server: &DevServer) -> Self {
        Self::with(network.url(), server.anon_key()).signed_in_as_ada()
    }

    pub(crate) fn signed_in_as_ada(self) -> Self {
        let terminal = self;
        assert_eq!(terminal.login(ADA, PASSWORD).code, 0);
        assert_eq!(terminal.run(&["sync"]).code, 0);
        terminal
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn login(&self, email: &str, password: &str) -> Ended {
        self.run_with(&["login", "--email", email, "--password-stdin"], password)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fieldpost"));
        command.arg("--db").arg(&self.database).args(arguments);
        self.end(command, input)
    }

    /// Runs it with this as its standard output.
    pub(crate) fn run_into(&self, arguments: &[&str], stdout: impl Into<Stdio>) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fieldpost"));
        command.arg("--db").arg(&self.database).args(arguments);
        self.point(&mut command);
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8(output.stderr).unwrap())
    }

    /// The same with a limit on the size of a file, in blocks of 512 bytes: a full disk.
    #[cfg(unix)]
    pub(crate) fn run_on_a_full_disk(&self, arguments: &[&str], blocks: u32) -> Ended {
        let mut command = Command::new("sh");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_fieldpost"), "--db"]).arg(&self.database);
        command.args(arguments);
        self.end(command, "")
    }

    /// Starts a run that continues until it is ended; its output can be read while it runs.
    #[cfg(unix)]
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fieldpost"));
        command.arg("--db").arg(&self.database).args(arguments);
        self.point(&mut command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn end(&self, mut command: Command, input: &str) -> Ended {
        self.point(&mut command);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A tool that ends before it reads closes the pipe; its exit code reports that.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn point(&self, command: &mut Command) {
        for name in FOREIGN {
            command.env_remove(name);
        }
        for (name, value) in [("SUPABASE_URL", &self.url), ("SUPABASE_ANON_KEY", &self.key)] {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        // The machine's own keyring is left alone. A test about keyrings brings its own bus.
        match self.variables.iter().any(|(name, _)| *name == "DBUS_SESSION_BUS_ADDRESS") {
            true => command.env_remove("FIELDPOST_TOKENS"),
            false => command.env("FIELDPOST_TOKENS", "file"),
        };
        command.env("TZ", "UTC").envs(self.variables.iter().map(|(name, value)| (name, value)));
    }

    /// The texts in Ada's thread.
    pub(crate) fn thread(&self) -> Vec<String> {
        let ended = self.run(&["--json", "--offline", "messages", "Admin", "--limit", "1000"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json().iter().map(|row| row["content"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// The demo world. Its project refuses messages that begin with "no: ".
pub(crate) async fn server() -> DevServer {
    fieldpost_tests::picky_demo().await.unwrap()
}
