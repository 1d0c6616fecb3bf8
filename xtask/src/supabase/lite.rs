//! Supabase Lite: the HTTP interfaces of PostgREST and GoTrue in one Node process.

use super::{Places, Settings, http_status, wait_until, write_atomically};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

const CLI: &str = "node_modules/@supabase/lite/dist/cli/index.js";

/// Starts it if it is not running, and returns its process id.
pub(super) fn start(places: &Places, settings: &Settings) -> Result<u64> {
    let known = places.read_stack().and_then(|stack| stack.0["pids"]["lite"].as_u64());
    if let Some(pid) = known.filter(|pid| is_ours(places, *pid) && healthy(settings)) {
        return Ok(pid);
    }
    if let Some(pid) = known {
        stop(places, pid)?;
    }
    if healthy(settings) {
        bail!("port {} is taken by another program: `cargo xtask supabase reset` takes another", settings.api_port);
    }
    let home = places.home.join("lite");
    fs::create_dir_all(home.join("supabase"))?;
    write_atomically(&home.join("supabase/config.toml"), config(settings).as_bytes())?;
    let log = places.home.join("lite.log");
    let output = File::create(&log)?;
    let child = Command::new("node")
        .arg(places.tests().join(CLI))
        .args(["start", "--no-admin", "--config"])
        .arg(home.join("supabase/config.toml"))
        .current_dir(&home)
        .env("DO_NOT_TRACK", "1")
        .env("LITE_TELEMETRY", "0")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0) // it outlives the command that started it
        .spawn()
        .context("cannot start Supabase Lite")?;
    wait_until("Supabase Lite", &log, || Ok(healthy(settings)))?;
    Ok(u64::from(child.id()))
}

pub(super) fn stop(places: &Places, pid: u64) -> Result<()> {
    if !is_ours(places, pid) {
        return Ok(()); // it is gone, and the number may be somebody else's by now
    }
    Command::new("kill").arg(pid.to_string()).status().context("cannot run kill")?;
    for _ in 0..100 {
        if !is_ours(places, pid) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("Supabase Lite (process {pid}) does not stop")
}

fn healthy(settings: &Settings) -> bool {
    http_status(settings.api_port, "/_system/health") == Some(200)
}

/// Whether a process is the Lite of this checkout.
fn is_ours(places: &Places, pid: u64) -> bool {
    let cli = places.tests().join(CLI);
    let output = Command::new("ps").args(["-ww", "-o", "stat=,args=", "-p", &pid.to_string()]).output();
    output.is_ok_and(|output| {
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        !line.trim_start().starts_with('Z') && mentions(&line, &cli)
    })
}

fn mentions(line: &str, path: &Path) -> bool {
    path.to_str().is_some_and(|path| line.contains(path))
}

fn config(settings: &Settings) -> String {
    format!(
        "# Written by `cargo xtask supabase up`.\n\
         [api]\nport = {port}\nschemas = [\"public\"]\n\n\
         [db]\ndriver = \"postgres\"\nurl = \"{url}\"\n\n\
         [auth]\nenabled = true\njwt_secret = \"{secret}\"\njwt_expiry = 3600\nenable_signup = true\n\
         publishable_key = \"{anon}\"\nsecret_key = \"{service}\"\n\n\
         [auth.email]\nenable_confirmations = false\n",
        port = settings.api_port,
        url = settings.database_url(),
        secret = settings.jwt_secret,
        anon = settings.anon_key,
        service = settings.service_key,
    )
}
