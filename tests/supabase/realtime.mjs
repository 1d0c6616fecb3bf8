// A client that knows nothing of Fieldpost's protocol: supabase's own realtime-js joins a topic and says what it hears.
//
// Reads {"url", "key", "email", "password", "topic", "library"} from the first line of standard input and prints a line for each
// thing that happens: {"status"}, {"system"}, {"hint"}, {"typing"}, {"heartbeat"}. Each further line is a command:
// {"type": person_id}, {"token": true} for a newer token. It ends with its input.
import { createInterface } from "node:readline";

import WebSocket from "ws";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const spec = JSON.parse((await lines.next()).value);
const { RealtimeClient } = await import(spec.library ?? "realtime-2.109.0");

const say = (event) => console.log(JSON.stringify(event));

async function token() {
  const { url, key, email, password } = spec;
  const answer = await fetch(`${url}/auth/v1/token?grant_type=password`, {
    method: "POST",
    headers: { apikey: key, "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  return (await answer.json()).access_token;
}

// An hour of waiting in a blink: the intervals are the only thing that is not as an app has it.
const client = new RealtimeClient(`${spec.url}/realtime/v1`, {
  params: { apikey: spec.key },
  ...(spec.vsn && { vsn: spec.vsn }),
  transport: WebSocket,
  heartbeatIntervalMs: spec.heartbeat ?? 100,
  reconnectAfterMs: () => 20,
  timeout: 1000,
});
await client.setAuth(await token());

const config = { private: true, broadcast: { self: false, replication_ready: true } };
const channel = client
  .channel(spec.topic, { config })
  .on("broadcast", { event: "hint" }, ({ payload, meta }) => say({ hint: payload, id: meta?.id }))
  .on("broadcast", { event: "typing" }, ({ payload }) => say({ typing: payload.person_id }))
  .on("system", {}, ({ status, message }) => say({ system: status, message }))
  .subscribe((status, error) => say({ status, ...(error && { error: error.message }) }));

for await (const line of lines) {
  const command = JSON.parse(line);
  if (command.type) {
    await channel.send({ type: "broadcast", event: "typing", payload: { person_id: command.type } });
    say({ sent: true });
  }
  if (command.token) {
    await client.setAuth(await token());
    say({ renewed: true });
  }
}
client.disconnect();
process.exit(0);
