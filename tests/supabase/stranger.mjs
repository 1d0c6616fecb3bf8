// A client that knows nothing of Fieldpost: supabase-js on the tables, as a web dashboard does it.
//
// Reads {"email", "password", "steps": […]} from standard input and prints one result per step:
// {"insert": {"conversation_id", "content"}}, {"edit": {"id", "content"}}, {"soft_delete": {"id"}}, {"list": {"conversation_id"}}.
import { text } from "node:stream/consumers";

import { client } from "./lib/stack.mjs";

const { email, password, steps } = JSON.parse(await text(process.stdin));
const js = await client(email, password);

function checked({ data, error }) {
  if (error) throw new Error(`${error.code}: ${error.message}`);
  return data;
}

const verbs = {
  async insert({ conversation_id, content }) {
    const conversation = checked(await js.from("conversations").select("org_id").eq("id", conversation_id).single());
    const row = { conversation_id, org_id: conversation.org_id, sender_id: js.user_id, content };
    return checked(await js.from("messages").insert(row).select("id, seq, content").single());
  },
  async edit({ id, content }) {
    return checked(await js.from("messages").update({ content }).eq("id", id).select("id, seq, content"));
  },
  async soft_delete({ id }) {
    return checked(await js.from("messages").update({ deleted_at: new Date().toISOString() }).eq("id", id).select("id"));
  },
  async list({ conversation_id }) {
    const all = js.from("messages").select("id, seq, content, deleted_at").eq("conversation_id", conversation_id);
    return checked(await all.order("seq"));
  },
};

const results = [];
for (const step of steps) {
  const [[verb, argument]] = Object.entries(step);
  results.push(await verbs[verb](argument));
}
console.log(JSON.stringify(results));
process.exit(0);
