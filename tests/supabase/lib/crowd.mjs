// The people of an old app, at work while something is done to its database. Each does what the shape says, one request after
// another, and every answer is held against the answer that there was before: whoever was not refused must not be refused now.
import { setTimeout as pause } from "node:timers/promises";

/** One statement as its person; answers {code, rows}. */
export async function act(project, { user, text }) {
  try {
    const run = (tx) => tx.unsafe(text.replace(/;\s*$/, ""));
    // What the owner does may be several statements, for a role of the project's own.
    const result = user === "owner" ? await project.sql.begin((tx) => tx.unsafe(text).simple()) : await project.request(user, run);
    const counts = Array.isArray(result[0]) ? result.map((r) => r.count) : [result.count];
    return { code: "ok", rows: Math.max(...counts) };
  } catch (error) {
    if (!error.code) throw error;
    return { code: error.code, message: error.message };
  }
}

/** The first column of the first row as text, `nothing`, or `error <code>`. */
export async function answer(project, { user, text }) {
  try {
    const run = (tx) => tx.unsafe(text.replace(/;\s*$/, "")).raw();
    const rows = await (user === "owner" ? project.sql.begin(run) : project.request(user, run));
    if (!rows.length) return "nothing";
    return String(rows[0][0]);  // raw: as PostgreSQL writes it
  } catch (error) {
    if (!error.code) throw error;
    return `error ${error.code}`;
  }
}

const kind = ({ code, rows }) => (code === "ok" ? (rows > 0 ? "ok" : "ok, no row") : code);

export class Crowd {
  constructor(project, acts) {
    this.project = project;
    this.acts = acts;
  }

  /** Learns what is answered today. Each statement twice: the second must be answered as the first. */
  async learn() {
    for (const a of this.acts) a.before = kind(await act(this.project, a));
    const other = [];
    for (const a of this.acts) if (kind(await act(this.project, a)) !== a.before) other.push(a.name);
    if (other.length) throw new Error(`the shape's own app is not answered twice alike: ${other}`);
    return this;
  }

  /** Looks again after something that we do not judge: what was refused by then may go on being refused, or be mended. */
  async relearn() {
    for (const a of this.acts) a.since = kind(await act(this.project, a));
  }

  /** Sends everybody to work. `during` names the step in the report. */
  start(during) {
    const report = { during, requests: 0, refused: new Map(), slowest: 0, who: "" };
    let on = this.acts.length > 0;
    // Three at a time, so that somebody writes while somebody reads; a statement never meets itself.
    const work = async (acts) => {
      for (let n = 0; on; n++) {
        const a = acts[n % acts.length];
        const begun = performance.now();
        const now = await act(this.project, a);
        if (now.code.startsWith("CONNECTION_")) on = false;  // the test is over, and has failed
        if (!on) break;
        const took = performance.now() - begun;
        report.requests++;
        if (took > report.slowest) [report.slowest, report.who] = [took, a.name];
        if (![a.before, a.since].includes(kind(now))) {
          const text = `${a.name}: was "${a.before}", now "${kind(now)}" ${now.message ?? ""}`;
          report.refused.set(text, (report.refused.get(text) ?? 0) + 1);
        }
        await pause(8);
      }
    };
    const shares = [0, 1, 2].map((n) => this.acts.filter((_, i) => i % 3 === n)).filter((share) => share.length);
    const workers = shares.map(work);
    return {
      /** Ends the work and answers the report; `refused` as lines. */
      stop: async () => {
        // Everybody's turn comes at least once after whatever happened last.
        const enough = report.requests + this.acts.length * 2;
        while (on && this.acts.length && report.requests < enough) await pause(5);
        on = false;
        await Promise.all(workers);
        return { ...report, refused: [...report.refused].map(([text, n]) => `during ${during}, ${n} times: ${text}`) };
      },
    };
  }
}
