// A person is erased: nothing of what she wrote or was called is in any table, page or device afterwards, and others keep what is theirs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { claim } from "./lib/claim.mjs";
import { device, everything, tablesWith } from "./lib/devices.mjs";
import { Hosted } from "./lib/hosted.mjs";
import { members } from "./lib/members.mjs";
import { apply } from "./lib/migrations.mjs";
import { scratch } from "./lib/scratch.mjs";
import { shape } from "./lib/shapes.mjs";
import { owner, root, uuid7 } from "./lib/stack.mjs";

let db, sql, impatient;
before(async () => {
  db = await scratch({ max: 12 });
  await db.apply();
  sql = db.sql;
  // Whoever waits for a lock without end fails.
  impatient = owner({ url: db.url, connection: { statement_timeout: 8000 } });
});
after(async () => {
  await impatient.end();
  await db.drop();
});

const push = async (who, ...p_mutations) => (await db.call(who, "push", { p_mutations })).results;
const send = (conversation_id, content, more) => ({ id: uuid7(), kind: "send_message", conversation_id, message_id: uuid7(), content, ...more });
const on = (kind, sent, more) => ({ id: uuid7(), kind, conversation_id: sent.conversation_id, message_id: sent.message_id, ...more });
const mark = (conversation_id, read_seq) => ({ id: uuid7(), kind: "mark_read", conversation_id, read_seq });

async function applied(who, ...mutations) {
  const results = await push(who, ...mutations);
  assert.deepEqual(results.map((r) => r.code ?? r.status), mutations.map(() => "applied"));
  return mutations;
}

/** An organization in which Ada has written, reacted, read, reported and been reported. Her word is "wagtail", that of others "dunlin". */
async function story(word = "wagtail") {
  const org = await members(sql, { medics: 2 });
  const [ada, ben] = org.medics;
  const [hers, his] = org.conversations;
  await sql`update public.medics set first_name = ${`Ada-${word}`}, last_name = ${`Moss-${word}`} where user_id = ${ada}`;
  const asked = send(hers, "a dunlin asks", { mentions: [ada] });
  const toAll = send(org.broadcast, "to all dunlins");
  await applied(org.admin, asked, toAll, send(his, "only for him, dunlin"));
  const said = send(hers, `said by a ${word}`, { metadata: { note: word }, mentions: [org.admin] });
  const edited = send(hers, `first ${word}`);
  const removed = send(hers, `taken back ${word}`);
  await applied(ada, said, edited, removed, send(hers, `last ${word}`));
  const answer = send(hers, "a dunlin answers", { reply_to: said.message_id });
  await applied(org.admin, answer);
  await applied(ada, on("edit_message", edited, { content: `then ${word}` }), on("delete_message", removed),
    on("react", asked, { emoji: "👍" }), on("react", toAll, { emoji: "🎉" }), on("report_message", asked, { reason: "other", note: `a note of a ${word}` }),
    mark(hers, 5), mark(org.broadcast, 1));
  await applied(org.admin, on("report_message", said, { reason: "harassment", note: "dunlin complains" }));
  await sql`insert into public.conversation_settings ${sql({ user_id: ada, conversation_id: hers, pinned_at: new Date() })}`;
  await applied(ben, on("react", toAll, { emoji: "🎉" }), mark(org.broadcast, 1));
  return { ...org, ada, ben, hers, said, asked, answer, toAll };
}

/** As the howto says: first the project's own rows of her. */
async function leaves(org, who = org.ada) {
  await sql`delete from public.profiles where id = ${who}`;
  await sql`update public.medics set first_name = 'Former', last_name = 'medic', user_id = null where user_id = ${who}`;
}

const erase = async (who, how, batch = 1000, tx = sql) => Object.fromEntries((await tx`select * from fieldpost.erase_person(${who}, ${how}, ${batch})`).map((r) => [r.what, Number(r.rows)]));
const stored = async (who) => Object.fromEntries((await sql`select * from fieldpost.stored_of(${who})`).map((r) => [r.what, Number(r.rows)]));

/** Calls until nothing is left to do. Answers the sums, and how many calls that were. */
async function eraseAll(who, how, batch, tx) {
  const sums = {};
  for (let calls = 1; ; calls++) {
    assert.ok(calls < 500, "an erasure that does not end");
    const done = await erase(who, how, batch, tx);
    for (const [what, n] of Object.entries(done)) sums[what] = (sums[what] ?? 0) + n;
    if (done["left to do"] === 0) return { ...sums, "left to do": 0, calls };
  }
}

const rowsOf = async (org) => JSON.stringify(await sql`
  select (select jsonb_agg(m order by m.id) from public.messages m where m.org_id = ${org.org}) as messages,
    (select jsonb_agg(r order by r.id) from public.message_reactions r where r.org_id = ${org.org}) as reactions,
    (select jsonb_agg(r order by r.user_id, r.conversation_id) from public.conversation_read_status r where r.org_id = ${org.org}) as markers,
    (select jsonb_agg(r order by r.id) from public.message_recipients r where r.org_id = ${org.org}) as recipients,
    (select jsonb_agg(r order by r.id) from public.message_reports r where r.org_id = ${org.org}) as reports,
    (select jsonb_agg(p order by p.user_id) from fieldpost.people p where p.org_id = ${org.org}) as people,
    (select jsonb_agg(s order by s.user_id) from public.conversation_settings s where s.org_id = ${org.org}) as settings`);

for (const [how, batch] of [["erase", 1000], ["erase", 1], ["remove", 1]]) {
  test(`a person's words are nowhere afterwards, on no device either, and others keep theirs (${how}, batches of ${batch})`, async () => {
    const [org, other] = [await story(), await story("redshank")];
    const before = await rowsOf(other);
    const devices = await Promise.all([org.admin, org.ada, org.ben].map((who) => device(db, who)));
    const [boss, her, ben] = devices;
    assert.equal((await tablesWith(sql, "wagtail")).includes("messages"), true, "there is something to find");
    await leaves(org);
    const done = await eraseAll(org.ada, how, batch);
    assert.deepEqual([done["names erased"], done[how === "erase" ? "messages erased" : "messages removed"], done["reactions taken back"], done["receipts removed"], done["times of read markers erased"],
      done["texts in reports erased"], done["notes of reports erased"], done["settings of conversations removed"]], [1, how === "erase" ? 3 : 4, 2, 1, 2, 1, 1, 1]);
    assert.deepEqual(await tablesWith(sql, "wagtail"), []);
    for (const who of [org.admin, org.ada, org.ben]) assert.ok(!(await everything(db, who, who === org.admin ? [...org.conversations, org.broadcast] : who === org.ben ? [org.broadcast] : [])).includes("wagtail"));

    for (const one of [boss, ben]) await one.converges();
    await her.pull();
    assert.deepEqual([her.conversations.size, her.messages.size], [0, 0], "her own devices have nothing left");
    const kept = boss.messages.get(org.said.message_id);
    if (how === "erase") {
      assert.ok(kept.deleted_at, "its place is kept, without content");
      assert.deepEqual([kept.content, kept.metadata, kept.mentions], [undefined, undefined, undefined]);
    } else assert.equal(kept, undefined);
    assert.deepEqual([boss.messages.get(org.answer.message_id).content, boss.messages.get(org.answer.message_id).reply_to], ["a dunlin answers", org.said.message_id]);
    const person = boss.people.get(org.ada);
    assert.deepEqual([person.removed, person.first_name, person.last_name], [true, undefined, undefined]);
    assert.deepEqual(boss.shown(org.asked.message_id), {}, "her reaction is taken back");
    assert.deepEqual([boss.shown(org.toAll.message_id)["🎉"].n, boss.shown(org.toAll.message_id)["🎉"].people], [1, [org.ben]], "that of others stays, and the count is right");
    const marker = boss.markers.get(`${org.hers}/${org.ada}`);
    assert.deepEqual([marker.read_seq, marker.read_at, marker.delivered_at], [5, undefined, undefined], "devices forget when she read");
    assert.ok(boss.markers.get(`${org.broadcast}/${org.ben}`).read_at, "and not when others did");
    const [report] = (await db.call(org.admin, "reports", { p_all: true })).reports.filter((r) => r.message_id === org.said.message_id);
    assert.deepEqual([report.content, report.note], [undefined, "dunlin complains"], "that she was reported stays, with the reporter's own words");
    assert.equal(await rowsOf(other), before, "another organization is untouched");

    const after = await rowsOf(org);
    const again = await erase(org.ada, how);
    assert.deepEqual(Object.values(again).filter(Boolean), [], "once more: nothing");
    assert.equal(await rowsOf(org), after);
    const [page] = await boss.pull();
    assert.deepEqual([page.messages.length, page.people.length, page.read_markers.length, (page.reactions ?? []).length], [0, 0, 0, 0], "no device hears of that");
    await sql`delete from auth.users where id = ${org.ada}`;
    assert.deepEqual(Object.entries(await stored(org.ada)).filter(([what, n]) => n && !["reports by her", "changes of access"].includes(what)), []);
    await leaves(other);
    await eraseAll(other.ada, "remove");
  });
}

test("what is stored of a person is counted without changing anything, before and after she is erased", async () => {
  const org = await story();
  const before = await rowsOf(org);
  assert.deepEqual(await stored(org.ada), { names: 1, messages: 4, "messages with content": 3, reactions: 2, "read markers": 2, "read markers with times": 2, receipts: 1,
    "settings of conversations": 1, "reports by her": 1, "notes in them": 1, "texts of hers in reports": 1, "texts in open reports": 1, "changes of access": 0, "conversations opened": 0, aliases: 0 });
  assert.equal(await rowsOf(org), before);
  await leaves(org);
  await eraseAll(org.ada, "erase");
  const left = await stored(org.ada);
  assert.deepEqual(Object.keys(left).filter((what) => left[what] > 0), ["messages", "read markers", "reports by her", "changes of access"]);
});

test("her messages stay if they are to be kept, and her receipts and the times of her markers go all the same", async () => {
  const org = await story();
  await leaves(org);
  const done = await eraseAll(org.ada, "keep");
  assert.deepEqual([done["messages erased"], done["reactions taken back"], done["receipts removed"], done["times of read markers erased"]], [undefined, undefined, 1, 2]);
  const left = await stored(org.ada);
  assert.deepEqual([left["messages with content"], left.reactions, left.names, left["texts of hers in reports"]], [3, 2, 0, 1]);
  await eraseAll(org.ada, "remove");
});

test("a member is not erased, and what is no way to do it is refused", async () => {
  const org = await story();
  const before = await rowsOf(org);
  await assert.rejects(erase(org.ada, "erase"), /still a member/);
  await leaves(org);
  for (const how of ["whatever", null]) await assert.rejects(erase(org.ada, how), /keep, erase or remove/);
  for (const batch of [0, 100_001, null]) await assert.rejects(erase(org.ada, "erase", batch), /p_batch/);
  assert.equal(JSON.parse(before)[0].messages.length, JSON.parse(await rowsOf(org))[0].messages.length);
  await eraseAll(org.ada, "remove");
});

test("a client cannot take the times out of its markers, nor has anything to do with a setting of that name", async () => {
  const org = await members(sql);
  const [ada] = org.medics;
  await applied(org.admin, send(org.conversations[0], "read this"));
  await applied(ada, mark(org.conversations[0], 1));
  await sql.begin(async (tx) => {
    await tx`select set_config('request.jwt.claim.sub', ${ada}, true), set_config('fieldpost.erasing', 'on', true)`;
    await tx`set local role authenticated`;
    await tx`update public.conversation_read_status set last_read_at = now() where user_id = ${ada}`;
  });
  const [row] = await sql`select read_seq_at, version from public.conversation_read_status where user_id = ${ada}`;
  assert.ok(row.read_seq_at && row.version === "1");
});

test("what somebody holds is left to the next call, and nobody waits for it without end", async () => {
  const held = {
    "a message": (tx, org) => tx`select from public.messages where id = ${org.said.message_id} for no key update`,
    "a reaction": (tx, org) => tx`select from public.message_reactions where person_id = ${org.ada} for update`,
    "a conversation": (tx, org) => tx`select from public.conversations where id = ${org.hers} for no key update`,
    "a recipient row": (tx, org) => tx`select from public.message_recipients where recipient_id = ${org.ada} for update`,
    "a read marker": (tx, org) => tx`select from public.conversation_read_status where user_id = ${org.ada} for update`,
  };
  for (const how of ["erase", "remove"]) {
    for (const [what, lock] of Object.entries(held)) {
      const org = await story();
      await leaves(org);
      await sql.begin(async (holder) => {
        await lock(holder, org);
        const done = await erase(org.ada, how, 1000, impatient);
        assert.ok(done["left to do"] > 0, what);
      });
      await eraseAll(org.ada, how);
      assert.deepEqual(await tablesWith(sql, "wagtail"), [], what);
    }
  }
});

test("beside people who write in the same conversations, nobody fails and everything converges", async () => {
  const org = await members(sql, { medics: 3 });
  const [ada, ben, cleo] = org.medics;
  const lanes = [...org.conversations.slice(0, 1), org.broadcast];
  await sql`insert into public.messages (conversation_id, org_id, sender_id, content)
    select c.id, c.org_id, ${ada}, 'wagtail ' || n from public.conversations c, generate_series(1, 60) n where c.id = any (${lanes})`;
  const devices = await Promise.all([org.admin, ben, cleo].map((who) => device(db, who)));
  await leaves(org, ada);
  const ids = (await sql`select id from public.messages where sender_id = ${ada}`).map((m) => m.id);
  const some = (list) => list[Math.floor(Math.random() * list.length)];
  const sent = [];
  let over = false;
  const loop = async (work) => {
    while (!over) await work();
  };
  const writes = async () => {
    const message = send(some(lanes), "written meanwhile");
    const [result, reaction] = await push(org.admin, message, { id: uuid7(), kind: "react", conversation_id: message.conversation_id, message_id: message.message_id, emoji: "👍" });
    assert.ok(["applied", "retry"].includes(result.status) && ["applied", "retry", "rejected"].includes(reaction.status), JSON.stringify([result, reaction]));
    if (result.status === "applied") sent.push(message.message_id);
  };
  const reads = async (who) => {
    const [r] = await push(who, mark(org.broadcast, 1 + Math.floor(Math.random() * 60)));
    assert.ok(["applied", "duplicate", "retry"].includes(r.status), JSON.stringify(r));
  };
  const dashboard = () => sql`update public.messages set metadata = jsonb_build_object('n', random()) where id = ${some(ids)} and deleted_at is null`;
  const others = [loop(writes), loop(writes), loop(() => reads(ben)), loop(() => reads(cleo)), loop(dashboard), ...devices.map((d) => loop(() => d.pull()))];
  let done;
  try {
    done = await eraseAll(ada, "erase", 5);
  } finally {
    over = true;
    await Promise.all(others);
  }
  assert.equal(done["messages erased"], 120);
  assert.deepEqual(await tablesWith(sql, "wagtail"), []);
  const kept = (await sql`select id from public.messages where org_id = ${org.org} and deleted_at is null`).map((m) => m.id);
  assert.deepEqual(kept.sort(), sent.sort(), "what others wrote is there");
  for (const one of devices) await one.converges();
  claim(`erasing: 120 messages in ${done.calls} calls beside ${sent.length} sends of others: nobody failed`);
});

test("in existing projects, in whose tables Fieldpost is a guest, people are erased and messages expire too", async () => {
  const hosted = await Hosted.make();
  try {
    for (const name of ["ordinary", "enums_and_limits", "odd_dates", "own_triggers"]) {
      const { sql: own } = await inProject(hosted, shape(name));
      const [{ org_id, sender_id }] = await own`select org_id, sender_id from public.messages where sender_id is not null order by created_at limit 1`;
      await own`delete from public.profiles where id = ${sender_id}`;
      await own`update public.medics set user_id = null where user_id = ${sender_id}`;
      const done = await eraseAll(sender_id, "erase", 7, own);
      assert.ok(done["messages erased"] > 0, name);
      assert.equal((await own`select from public.messages where sender_id = ${sender_id} and (deleted_at is null or content <> '')`).length, 0, name);
      const [{ x: found }] = await own`select fieldpost.expire_messages(${org_id}, '1 day', p_preview => true) as x`;
      let expired = 0;
      for (let part = { more: true }; part.more; expired += part.messages) {
        assert.ok(expired <= found.messages, name);
        [{ x: part }] = await own`select fieldpost.expire_messages(${org_id}, '1 day', 7) as x`;
      }
      assert.ok(expired > 0 && expired === found.messages, `${name}: ${expired} of ${found.messages}`);
    }
  } finally {
    await hosted.remove();
  }
});

async function inProject(hosted, { files }) {
  const project = await hosted.project();
  for (const { text } of files) await project.sql.unsafe(text).simple();
  await apply(project.sql);
  return project;
}

const blocks = (page, title) => [...readFileSync(join(root, "docs", "howto", page), "utf8").split(/^## /m).find((part) => part.startsWith(title)).matchAll(/```sql\n([\s\S]*?)```/g)].map((m) => m[1]);

test("what docs/howto/operators-view.md says of one person, and docs/howto/erasing.md of old messages, works as written", async () => {
  const org = await story();
  const asked = blocks("operators-view.md", "What is stored of one person");
  assert.equal(asked.length, 6);
  const answers = [];
  for (const block of asked) answers.push(await sql.unsafe(block, [org.ada]));
  assert.ok(answers.every((rows) => rows.length), "each has something of her");
  assert.equal(answers[1].filter((m) => m.content?.includes("wagtail")).length, 3);
  await sql`insert into public.messages (conversation_id, org_id, sender_id, content, created_at) values (${org.broadcast}, ${org.org}, ${org.admin}, 'long ago', now() - interval '400 days')`;
  const [preview, expire, nightly] = blocks("erasing.md", "Messages older than an age");
  // A number that goes before all others, as it was written before them.
  await sql.unsafe("alter table public.messages disable trigger user");
  await sql`update public.messages set created_at = now() - interval '400 days' where conversation_id = ${org.broadcast}`;
  await sql.unsafe("alter table public.messages enable trigger user");
  assert.equal((await sql.unsafe(preview, [org.org]))[0].expire_messages.messages, 2);
  const [{ expire_messages: done }] = await sql.unsafe(expire, [org.org]);
  assert.deepEqual([done.messages, done.more], [2, false]);
  const [, everyOrg] = nightly.match(/\$\$(.*)\$\$/);
  assert.ok((await sql.unsafe(everyOrg)).length >= 1, "what is to run every night runs");
  await leaves(org);
  await eraseAll(org.ada, "remove");
});
