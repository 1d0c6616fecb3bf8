/** The app opens its client, goes to the background, and comes back. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from 'fieldpost';
import { StrictMode } from 'react';
import { AppState } from 'react-native';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';

import { Lifecycle } from '../src/lifecycle';
import { Main } from '../src/Main';
import { dump } from './dump';

const url = process.env['FIELDPOST_URL'] ?? '';
const anonKey = process.env['FIELDPOST_ANON_KEY'] ?? '';

async function until(what: string, isSo: () => boolean): Promise<void> {
  const started = performance.now();
  while (!isSo()) {
    if (performance.now() - started > 20_000) {
      throw new Error(`it never comes to this: ${what}`);
    }
    // What React was told meanwhile is drawn when the act ends.
    await act(() => new Promise((resolve) => setTimeout(resolve, 5)));
  }
}

function freshFile(): string {
  return join(mkdtempSync(join(tmpdir(), 'fieldpost-')), 'app.db');
}

/** Clients that were opened since. The first may take longer than the second. */
function opened({ firstIsSlow = false } = {}): Client[] {
  const clients: Client[] = [];
  const open = Client.open;
  let begun = 0;
  jest.spyOn(Client, 'open').mockImplementation(async (...given) => {
    const isFirst = begun++ === 0;
    const client = await open.apply(Client, given);
    while (firstIsSlow && isFirst && clients.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    clients.push(client);
    return client;
  });
  return clients;
}

afterEach(() => jest.restoreAllMocks());

test('in strict mode it opens twice, shows the second client, and leaves none open', async () => {
  const clients = opened({ firstIsSlow: true });
  let renderer!: ReactTestRenderer;
  await act(async () => {
    renderer = create(
      <StrictMode>
        <Main database={freshFile()} url={url} anonKey={anonKey} />
      </StrictMode>,
    );
  });
  await until('the app is shown', () => clients.length === 2 && dump(renderer).includes('Signed out'));
  await until('the first client is shut down', () => clients.filter((client) => client.isShutDown()).length === 1);
  // What is shown is the one that is open: the other would not say why there is nothing.
  await until('its list is read', () => dump(renderer).includes('No conversations yet'));
  await act(async () => renderer.unmount());
  await until('both are shut down', () => clients.every((client) => client.isShutDown()));
});

test('a file that cannot be opened is told', async () => {
  let renderer!: ReactTestRenderer;
  await act(async () => {
    renderer = create(<Main database="/no/such/folder/app.db" url={url} anonKey={anonKey} />);
  });
  await until('it says why', () => !dump(renderer).includes('Opening') && dump(renderer).trim() !== '');
  await act(async () => renderer.unmount());
});

test('the file is closed in the background, and open when the app comes back', async () => {
  const clients = opened();
  const heard: ((state: string) => void)[] = [];
  jest.spyOn(AppState, 'addEventListener').mockImplementation((_, listener) => {
    heard.push(listener as (state: string) => void);
    return { remove: () => void heard.splice(heard.indexOf(listener as never), 1) } as never;
  });
  let renderer!: ReactTestRenderer;
  await act(async () => {
    renderer = create(<Main database={freshFile()} url={url} anonKey={anonKey} />);
  });
  await until('the app is shown', () => dump(renderer).includes('Signed out'));
  const [client] = clients as [Client];
  const kind = (): Promise<string> => client.conversations().then(() => 'open', (error: { kind: string }) => error.kind);
  let seen = '';
  const becomes = (wanted: string): Promise<void> =>
    until(`the file is ${wanted}`, () => (void kind().then((now) => (seen = now)), seen === wanted));

  heard.forEach((listener) => listener('background'));
  await becomes('Paused');
  heard.forEach((listener) => listener('active'));
  await becomes('open');
  await act(async () => renderer.unmount());
  expect(heard).toEqual([]);
  await until('it is shut down', () => client.isShutDown());
});

test('who comes back during the last push finds the file open', async () => {
  const calls: string[] = [];
  let pushed!: () => void;
  const client = {
    background: () => new Promise<never>((resolve) => (pushed = resolve as () => void)),
    pause: async () => void calls.push('pause'),
    resume: async () => void calls.push('resume'),
    foreground: () => void calls.push('foreground'),
  };
  const lifecycle = new Lifecycle(client, (error) => void calls.push(error.message));
  lifecycle.become('background');
  await new Promise(setImmediate);
  lifecycle.become('active');
  pushed();
  await new Promise(setImmediate);
  expect(calls).toEqual(['resume', 'foreground']);

  lifecycle.become('inactive');
  lifecycle.become('background');
  await new Promise(setImmediate);
  pushed();
  await new Promise(setImmediate);
  expect(calls).toEqual(['resume', 'foreground', 'pause']);
});

test('a last push that fails is told, and the file is closed all the same', async () => {
  const calls: string[] = [];
  const client = {
    background: () => Promise.reject(new Error('offline')),
    pause: async () => void calls.push('pause'),
    resume: () => Promise.reject(new Error('busy')),
    foreground: () => void calls.push('foreground'),
  };
  const lifecycle = new Lifecycle(client, (error) => void calls.push(error.message));
  lifecycle.become('background');
  lifecycle.become('active');
  lifecycle.become('background');
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(calls.at(-1)).toBe('offline');
  expect(calls).toContain('pause');
});
