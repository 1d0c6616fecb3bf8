// A client that keeps what it is told, by the rules of docs/protocol.md, and notices what must never happen.
import assert from "node:assert/strict";

import { call, sha256 } from "./stack.mjs";

/** Whoever had an account that was deleted. */
const NOBODY = "00000000-0000-0000-0000-000000000000";

export class Replica {
  constructor(js) {
    this.js = js;
    this.cursor = null;
    this.clear();
  }

  clear() {
    this.messages = new Map();
    this.conversations = new Map();
    this.people = new Map();
    this.markers = new Map();
    this.reactions = new Map();
    this.settings = new Map();
    this.deleted = new Map();
    this.revoked = new Map();
  }

  /** First load. Answers the pages. */
  async bootstrap(args = {}) {
    this.clear();
    const pages = [];
    let p_after = null;
    do {
      const page = await call(this.js, "bootstrap", { p_after, ...args });
      assert.equal(page.error, undefined);
      assert.ok(pages.length < 5000, "a first load that does not end");
      pages.push(page);
      this.take(page);
      this.cursor = page.cursor;
      p_after = page.next_after ?? null;
    } while (p_after);
    this.check(pages.at(-1).digest);
    return pages;
  }

  /** Catches up. Answers the pages; throws on a refusal unless `refusal` is wanted. */
  async pull(args = {}) {
    const pages = [];
    let more = true;
    while (more) {
      const page = await call(this.js, "pull", { p_cursor: this.cursor, ...args });
      if (page.error) {
        if (args.refusal !== false) throw Object.assign(new Error(`pull refused: ${page.error.code} ${page.error.detail}`), page.error);
      }
      assert.ok(pages.length < 5000, "a pass that does not end");
      assert.ok(page.cursor.length <= 1024 && /^[ -~]+$/.test(page.cursor), "cursor");
      pages.push(page);
      this.take(page);
      this.cursor = page.cursor;
      more = page.more;
    }
    return pages;
  }

  take(page) {
    const named = new Set(page.conversations.map((c) => c.id));
    for (const p of page.people) this.people.set(p.id, p);
    for (const a of page.access ?? []) {
      if (a.access === "revoke") {
        this.conversations.delete(a.conversation_id);
        for (const [id, m] of this.messages) if (m.conversation_id === a.conversation_id) this.messages.delete(id);
      } else assert.ok(named.has(a.conversation_id), "a grant comes with its conversation");
      this.revoked.set(a.conversation_id, a);
    }
    for (const c of page.conversations) this.keep(this.conversations, c.id, c);
    for (const m of page.messages) {
      assert.ok(named.has(m.conversation_id), "a page carries the conversations that its messages name");
      assert.ok(this.people.has(m.sender_id) || m.sender_id === NOBODY, "a page carries the people that its messages name");
      this.keep(this.messages, m.id, m);
    }
    for (const r of page.read_markers) this.keep(this.markers, `${r.conversation_id}/${r.person_id}`, r);
    for (const r of page.reactions ?? []) this.keep(this.reactions, `${r.message_id}/${r.emoji}/${r.person_id ?? "all"}`, r);
    for (const s of page.settings ?? []) this.keep(this.settings, s.conversation_id, s);
    for (const m of page.messages) if (m.deleted_at) this.forget(m.id);
    for (const t of page.tombstones ?? []) {
      this.deleted.set(t.id, t);
      if (t.entity === "message") this.messages.delete(t.id), this.forget(t.id);
      else {
        this.conversations.delete(t.id);
        for (const [id, m] of this.messages) if (m.conversation_id === t.id) this.messages.delete(id);
      }
    }
  }

  forget(message) {
    for (const [key, r] of this.reactions) if (r.message_id === message) this.reactions.delete(key);
  }

  /** What a message shows: how many of each emoji, and whose they are as far as she is told. */
  shown(message) {
    const emojis = {};
    for (const r of this.reactions.values()) {
      if (r.message_id !== message) continue;
      const of = (emojis[r.emoji] ??= { total: 0, people: [] });
      if (r.person_id && !r.removed) of.people.push(r.person_id);
      of.total = Math.max(of.total, r.count ?? 0);
    }
    const list = Object.entries(emojis).map(([emoji, of]) => [emoji, Math.max(of.total, of.people.length), of.people.sort()]);
    return Object.fromEntries(list.filter(([, n]) => n).map(([emoji, n, people]) => [emoji, { n, people }]));
  }

  keep(map, id, row) {
    const old = map.get(id);
    if (!old || old.version <= row.version) map.set(id, row);
  }

  check(digest) {
    assert.equal(digest.count, this.conversations.size);
    assert.equal(digest.sha256, sha256([...this.conversations.keys()].sort().join("")));
  }
}

/** The seqs of a conversation are 1, 2, 3 … without a hole, and created_at grows with them. */
export function assertGapless(messages) {
  const byConversation = Map.groupBy ? Map.groupBy(messages, (m) => m.conversation_id) : group(messages);
  for (const [, list] of byConversation) {
    list.sort((a, b) => Number(a.seq) - Number(b.seq));
    list.forEach((m, i) => {
      assert.equal(Number(m.seq), i + 1);
      if (i) assert.ok(list[i - 1].created_at < m.created_at, "created_at grows with seq");
    });
  }
}

function group(messages) {
  const map = new Map();
  for (const m of messages) map.set(m.conversation_id, [...(map.get(m.conversation_id) ?? []), m]);
  return map;
}
