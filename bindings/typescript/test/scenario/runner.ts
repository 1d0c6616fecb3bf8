/** Carries out steps, and tells of each. */

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setImmediate, setTimeout as after } from 'node:timers/promises';

import {
  Client,
  FieldpostError,
  ItemId,
  Timeline,
  Watch,
  changeKey,
  logTo,
  stopLogging,
  type ConversationId,
  type KeyProgress,
  type LogLevel,
  type LogLine,
} from 'fieldpost';

import { Keychain, Provider, passwordSession } from './app';
import { difference, pascal, plain, take, type Fields, type Json } from './looks';
import { grownSince, usage } from './usage';
import { call, type Arguments } from './verbs';

/** How long anything may take, in milliseconds. */
const LIMIT = 20_000;

export interface Step {
  step: string;
  on?: string;
  do: string;
  with?: Fields;
  expect?: Json;
  fails?: Json;
  keep?: Record<string, string>;
  as?: string;
  watch?: string;
  until?: boolean;
  times?: number;
  measure?: string;
  call?: string;
  steps?: Step[];
}

interface Told {
  step: string;
  ok: boolean;
  note?: string;
  measure?: string;
  micros?: number;
}

/** A step does not show what it should. */
class Failed extends Error {}

async function limited<T>(what: Promise<T>, limit = LIMIT): Promise<T> {
  const over = new AbortController();
  const late = after(limit, undefined, { signal: over.signal }).then(() => {
    throw new Failed('it takes too long');
  });
  try {
    return await Promise.race([what, late]);
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}

function failureOf(error: FieldpostError): Json {
  return { kind: plain(error.kind, 'kind'), retry: plain(error.retry), reason: error.reason };
}

type Verb = (step: Step, given: Arguments) => unknown;

export class Runner {
  private readonly clients = new Map<string, Client>();
  private readonly watches = new Map<string, Watch<unknown> | Timeline>();
  private readonly providers = new Map<string, Provider>();
  private readonly keychains = new Map<string, Keychain>();

  constructor(
    private readonly url: string,
    private readonly key: string,
    private readonly folder: string,
    private readonly kept: Fields,
  ) {}

  /** The exit code of the process. */
  async run(steps: Step[], crash: boolean): Promise<number> {
    let failures = 0;
    for (const step of steps) {
      const told = await this.tell(step);
      failures += told.ok ? 0 : 1;
      await new Promise((written) => process.stdout.write(`${JSON.stringify(told)}\n`, written));
    }
    if (crash) {
      process.kill(process.pid, 'SIGKILL');
      await new Promise(() => undefined);
    }
    for (const client of this.clients.values()) {
      await client.shutdown();
    }
    return failures === 0 ? 0 : 1;
  }

  private async tell(step: Step): Promise<Told> {
    const told: Told = { step: step.step, ok: true };
    try {
      const result = await limited(this.carryOut(step), LIMIT * 45);
      if (step.measure !== undefined) {
        told.measure = step.measure;
        told.micros = result as number;
      }
      if (step.do === 'changes' || step.do === 'subscriptions') {
        told.note = JSON.stringify(result);
      }
    } catch (error) {
      told.ok = false;
      told.note = error instanceof Failed ? error.message : ((error as Error).stack ?? String(error));
    }
    return told;
  }

  private async carryOut(step: Step): Promise<Json> {
    if (step.times !== undefined && step.measure !== undefined) {
      return this.measure(step, step.times);
    }
    let result: Json;
    try {
      result = plain(await this.do(step));
      const started = performance.now();
      while (step.until && this.wrong(step.expect, result) !== undefined && performance.now() - started < LIMIT) {
        result = plain(await this.do(step));
      }
    } catch (error) {
      // Whatever is passed: only errors of the package may come, no TypeError of the engine.
      if (step.fails === undefined || !(error instanceof FieldpostError)) {
        throw error;
      }
      this.check(step.fails, failureOf(error));
      return null;
    }
    if (step.fails !== undefined) {
      throw new Failed(`it did not fail; the result is ${JSON.stringify(result)}`);
    }
    if (step.expect !== undefined) {
      this.check(step.expect, result);
    }
    for (const [name, path] of Object.entries(step.keep ?? {})) {
      this.kept[name] = take(path, result);
    }
    return result;
  }

  private wrong(expected: Json | undefined, found: Json): string | undefined {
    return expected === undefined ? undefined : difference(expected, found, this.kept);
  }

  private check(expected: Json, found: Json): void {
    const wrong = this.wrong(expected, found);
    if (wrong !== undefined) {
      throw new Failed(wrong);
    }
  }

  private argument(value: Json): unknown {
    if (typeof value === 'string' && value.startsWith('$')) {
      return this.kept[value.slice(1)];
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      if ('$surrogate' in value) {
        return 'a\ud800b';
      }
      if (Array.isArray(value['$repeat'])) {
        const [text, times] = value['$repeat'] as [string, number];
        return text.repeat(times);
      }
    }
    return value;
  }

  private client(step: Step): Client {
    const client = this.clients.get(step.on ?? 'ada');
    if (client === undefined) {
      throw new Error(`there is no client ${step.on ?? 'ada'}`);
    }
    return client;
  }

  private async do(step: Step): Promise<unknown> {
    const verb = step.do;
    const given: Arguments = Object.fromEntries(
      Object.entries(step.with ?? {}).map(([name, value]) => [name, this.argument(value)]),
    );
    const own = this.verbs[verb];
    if (own !== undefined) {
      return own(step, given);
    }
    if (verb === 'timeline' || verb.startsWith('watch_')) {
      return this.watch(step, given);
    }
    if (verb.startsWith('timeline_')) {
      return this.ofTimeline(step, given);
    }
    return call(this.client(step), verb, given);
  }

  private async measure(step: Step, times: number): Promise<number> {
    const started = performance.now();
    for (let round = 0; round < times; round += 1) {
      await this.do(step);
    }
    return ((performance.now() - started) / times) * 1000;
  }

  private async watch(step: Step, { throws = 0, ...given }: Arguments): Promise<void> {
    // What the library calls is not for apps, so their types do not have it.
    const listener = Watch.prototype as unknown as { onUpdate(update: unknown): void };
    const heard = listener.onUpdate;
    let left = throws as number;
    if (left > 0) {
      // Before the library has it, so that the first call throws already.
      listener.onUpdate = function (this: typeof listener, update: unknown): void {
        if (left > 0) {
          left -= 1;
          throw new Error('the listener has a fault');
        }
        listener.onUpdate = heard;
        heard.call(this, update);
      };
    }
    this.watches.set(step.as ?? '', (await call(this.client(step), step.do, given)) as Watch<unknown>);
  }

  private async ofTimeline(step: Step, given: Arguments): Promise<unknown> {
    const timeline = this.watches.get(step.watch ?? '') as Timeline;
    switch (step.do) {
      case 'timeline_paginate_backwards':
        return timeline.paginateBackwards();
      case 'timeline_fill_gap':
        return timeline.fillGap({ unread: ItemId.Unread.new() }[given['item'] as 'unread']);
      default:
        throw new Error(`there is no verb ${step.do}`);
    }
  }

  private reader(step: Step): Watch<unknown> {
    const watch = this.watches.get(step.watch ?? '');
    if (watch === undefined) {
      throw new Error(`there is no watch ${step.watch}`);
    }
    return watch[Symbol.asyncIterator]();
  }

  private async update(watch: Watch<unknown>): Promise<unknown> {
    const result = await limited(watch.next());
    if (result.done) {
      throw new Failed('the watch has ended');
    }
    return result.value;
  }

  /** Verbs that are no calls of the client. */
  private readonly verbs: Record<string, Verb> = {
    open: async (step, given) => {
      const { server, file, tokens, secrets, key, callback_limit_ms, live, ...rest } = given;
      const options = {
        ...rest,
        database: join(this.folder, file as string),
        live: live ?? false,
        url: server === 'none' ? undefined : server === 'nowhere' ? 'http://127.0.0.1:9' : this.url,
        anonKey: server === 'none' || server === 'without_key' ? undefined : this.key,
        tokens: tokens && this.providers.get(tokens),
        secrets: secrets && this.keychains.get(secrets),
        key: key && Uint8Array.from(Buffer.from(key, 'hex')),
        callbackLimit: callback_limit_ms,
      };
      this.clients.set(step.on ?? 'ada', await Client.open(options));
    },

    next: async (step) => this.update(this.reader(step)),

    await: async (step) => {
      const watch = this.reader(step);
      let seen: string | undefined = 'no update came';
      const started = performance.now();
      while (performance.now() - started < LIMIT) {
        let update: Json;
        try {
          update = plain(await this.update(watch));
        } catch (error) {
          throw new Failed(`no update looks like that (${(error as Error).message}); of the last one, ${seen}`);
        }
        seen = this.wrong(step.expect, update);
        if (seen === undefined) {
          return update;
        }
      }
      throw new Failed(`no update looks like that; of the last one, ${seen}`);
    },

    cancel_watch: (step) => this.watches.get(step.watch ?? '')?.cancel(),

    ended: async (step) => {
      const watch = this.reader(step);
      while (!(await limited(watch.next())).done);
    },

    quiet: async (step) => {
      const watch = this.reader(step);
      // One listener thread calls all: what was on its way has arrived when a later call has.
      await this.listened();
      if (watch.unread > 0) {
        throw new Failed(`${watch.unread} updates came`);
      }
    },

    crash: async (step) => {
      const steps = step.steps ?? [];
      const file = join(this.folder, 'crash.json');
      writeFileSync(file, JSON.stringify(steps));
      const main = join(__dirname, 'main.js');
      const child = spawn(process.execPath, [
        ...process.execArgv, main, file, '--crash', '--url', this.url, '--key', this.key, '--folder', this.folder,
        '--kept', JSON.stringify(this.kept),
      ]);
      let output = '';
      let errors = '';
      child.stdout.on('data', (text) => (output += text));
      child.stderr.on('data', (text) => (errors += text));
      const signal = await limited(new Promise((ended) => child.on('close', (_, by) => ended(by))), 3 * LIMIT);
      const told = output.split('\n').filter(Boolean).map((line) => JSON.parse(line) as Told);
      const wrong = told.filter((one) => !one.ok);
      if (wrong.length > 0 || told.length !== steps.length || signal !== 'SIGKILL') {
        throw new Failed(`the process ended by ${signal}: ${JSON.stringify(wrong)} ${errors}`);
      }
    },

    provider: async (step, given) => {
      const known = this.providers.get(step.as ?? '');
      if ('then' in given && known !== undefined) {
        known.then = given['then'];
        return;
      }
      const session = await passwordSession(this.url, this.key, given['email'], given['password']);
      this.providers.set(step.as ?? '', new Provider(session, given['first']));
    },

    asked: (_, given) => {
      const { asked, refused } = this.providers.get(given['provider']) as Provider;
      return { asked, refused };
    },

    secret_store: (step, given) => {
      const keychain = this.keychains.get(step.as ?? '') ?? new Keychain();
      this.keychains.set(step.as ?? '', keychain);
      keychain.then = given['then'] ?? keychain.then;
    },

    secrets_in: (_, given) => this.keychains.get(given['store'])?.secrets.size,

    change_key: async (_, given) => {
      const told: KeyProgress[] = [];
      const key = (name: string) => given[name] && Uint8Array.from(Buffer.from(given[name], 'hex'));
      const listener = { onProgress: (progress: KeyProgress) => void told.push(progress) };
      await changeKey(join(this.folder, given['file']), key('old_key'), key('new_key'), listener);
      return { told: told.length, last: told.at(-1) };
    },

    files_with: (_, given) => {
      const files = readdirSync(this.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      const paths = files.map((entry) => join(entry.parentPath, entry.name));
      return paths.filter((path) => readFileSync(path).includes(given['text'])).map((path) => relative(this.folder, path)).sort();
    },

    cancel_call: async (step, given) => {
      const client = this.client(step);
      const giving = new AbortController();
      const begun = client.send(given['conversation'], given['text'], { signal: giving.signal });
      // It is cancelled after it was handed over, and before it can have returned.
      giving.abort(new Failed('given up'));
      const ended = await begun.then(() => 'it was not given up', (error: Error) => error.message);
      if (ended !== 'given up') {
        throw new Failed(ended);
      }
      // The write goes on; what is written next comes after it.
      await client.pending();
    },

    threads_of_the_app: async (step, given) => {
      const client = this.client(step);
      const calls = Array.from({ length: step.times ?? 1 }, () => call(client, step.call ?? '', given) as Promise<unknown>);
      const ended = await limited(Promise.allSettled(calls), 3 * LIMIT);
      const ok = ended.filter((one) => one.status === 'fulfilled').length;
      return { ok, failed: ended.length - ok };
    },

    log_lines: async (step, given) => {
      const lines: LogLine[] = [];
      logTo(pascal(given['level']) as LogLevel, { log: (line) => void lines.push(line) });
      const client = this.client(step);
      await client.sync();
      const [conversation] = await client.conversations();
      if (conversation === undefined) {
        throw new Failed('there is no conversation');
      }
      const window = await client.messages(conversation.id);
      await client.search(given['forbidden']);
      await this.listened();
      stopLogging();
      const texts = [...window.messages.flatMap((message) => message.text ?? []), given['forbidden'], conversation.name];
      const content = lines.filter((line) => texts.some((text) => line.text.includes(text)));
      return { lines: lines.length, content: content.length };
    },

    changes: async (step, given) => {
      const client = this.client(step);
      const watch = this.reader(step);
      const updates = given['updates'] as number;
      let before = await usage();
      let came = 0;
      for (let number = 0; number < updates; number += 1) {
        if (number === Math.floor(updates / 10)) {
          before = await usage();
        }
        await client.keepDraft(given['conversation'], { text: `draft ${number}` });
        await this.update(watch);
        came += 1;
      }
      return { updates: came, ...(await grownSince(before)) };
    },

    subscriptions: async (step, given) => {
      const client = this.client(step);
      const count = given['count'] as number;
      let before = await usage();
      for (let number = 0; number < count; number += 1) {
        if (number === Math.floor(count / 10)) {
          before = await usage();
        }
        const watch = await client.watchThread(given['conversation'] as ConversationId);
        await this.update(watch);
        watch.cancel();
      }
      return grownSince(before);
    },
  };

  private async listened(): Promise<void> {
    const client = await Client.open({ database: join(mkdtempSync(join(this.folder, 'quiet-')), 'quiet.db') });
    const watch = await client.watchTotalUnread();
    await this.update(watch);
    await client.shutdown();
    await setImmediate();
  }
}
