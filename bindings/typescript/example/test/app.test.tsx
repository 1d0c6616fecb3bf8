/** The screens of the sample app, with React Native's own list and the real engine beneath. */

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client, type ConversationId } from 'fieldpost';
import { act, create, type ReactTestInstance, type ReactTestRenderer } from 'react-test-renderer';

import { App } from '../src/App';
import { dump } from './dump';

const url = process.env['FIELDPOST_URL'] ?? '';
const anonKey = process.env['FIELDPOST_ANON_KEY'] ?? '';
const SCREENS = join(__dirname, '../../../../docs/screens/react-native.txt');

async function until(what: string, isSo: () => boolean): Promise<void> {
  await act(async () => {
    const started = performance.now();
    while (!isSo()) {
      if (performance.now() - started > 30_000) {
        throw new Error(`it never comes to this: ${what}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
}

async function adaWithThread(messages: number): Promise<{ client: Client; direct: ConversationId }> {
  const database = join(mkdtempSync(join(tmpdir(), 'fieldpost-')), 'ada.db');
  const client = await Client.open({ database, url, anonKey, live: false });
  await client.signIn('ada@fieldpost.test', 'fieldpost-demo');
  await client.sync();
  const direct = (await client.conversations()).find(({ kind }) => kind === 'Direct');
  if (direct === undefined) {
    throw new Error('the demo has no direct conversation');
  }
  const { messages: there } = await client.messages(direct.id);
  for (let number = there.length + 1; number <= messages; number += 1) {
    await client.send(direct.id, `Report ${number} of ${messages}`);
  }
  await client.sync();
  return { client, direct: direct.id };
}

function byTestId(renderer: ReactTestRenderer, id: string): ReactTestInstance {
  return renderer.root.findAll((one) => one.props['testID'] === id && typeof one.props['onPress'] === 'function')[0] as ReactTestInstance;
}

/** How many messages of the long thread are on the screen. */
function reports(renderer: ReactTestRenderer): number[] {
  return [...dump(renderer).matchAll(/> Report (\d+) of/g)].map((found) => Number(found[1]));
}

/** What a phone tells a list: how high its window is, where its rows are, and how far it was scrolled. */
const ROW = 40;
const WINDOW = 800;

function layoutEvent(y: number, height: number): object {
  return { nativeEvent: { layout: { x: 0, y, width: 400, height } } };
}

/** Scrolls to a row, as a finger does, until something is so. */
async function scrollTo(renderer: ReactTestRenderer, row: () => number, what: string, isSo: () => boolean): Promise<void> {
  const { root } = renderer;
  const view = root.findAll(({ props }) => props['onScroll'] && props['onContentSizeChange'] && props['onLayout'])[0]!;
  const rows = () => root.findByProps({ testID: 'thread', inverted: true }).props['data'].length as number;
  const started = performance.now();
  while (!isSo()) {
    if (performance.now() - started > 30_000) {
      throw new Error(`it never comes to this: ${what}`);
    }
    await act(async () => {
      view.props['onLayout'](layoutEvent(0, WINDOW));
      for (const cell of root.findAll(({ props }) => props['cellKey'] !== undefined && props['index'] !== undefined)) {
        const [outer] = cell.findAll(({ type, props }) => type === 'View' && props['onLayout']);
        outer?.props['onLayout'](layoutEvent(cell.props['index'] * ROW, ROW));
      }
      view.props['onContentSizeChange'](400, rows() * ROW);
      view.props['onScroll']({
        timeStamp: performance.now(),
        nativeEvent: {
          contentOffset: { x: 0, y: row() * ROW },
          contentSize: { width: 400, height: rows() * ROW },
          layoutMeasurement: { width: 400, height: WINDOW },
          zoomScale: 1,
        },
      });
      // The list draws in batches.
      await new Promise((resolve) => setTimeout(resolve, 60));
    });
  }
}

/** The list draws more than its window shows, and how much depends on the moment. */
function inWindow(screen: string): string {
  const seen = (line: string): boolean => {
    const number = Number(/Report (\d+) of/.exec(line)?.[1] ?? 9_940);
    return number > 9_930 && number <= 9_950;
  };
  return screen.split('\n').filter(seen).join('\n');
}

async function shown(client: Client): Promise<ReactTestRenderer> {
  let renderer!: ReactTestRenderer;
  await act(async () => {
    renderer = create(<App client={client} />);
  });
  await until('the list is shown', () => dump(renderer).includes('Admin'));
  return renderer;
}

async function press(renderer: ReactTestRenderer, id: string): Promise<void> {
  await act(async () => byTestId(renderer, id).props['onPress']());
}

const screens: Record<string, string> = {};

test('the list and a thread of the demo, and a message that is written', async () => {
  const { client } = await adaWithThread(0);
  const renderer = await shown(client);
  screens['The list'] = dump(renderer);
  expect(screens['The list']).toContain('Admin (2)');

  await press(renderer, 'open Admin');
  await until('the thread is shown', () => dump(renderer).includes('Thanks, I will tell the site manager.'));
  await act(async () => renderer.root.findByProps({ testID: 'text', placeholder: 'Message' }).props['onChangeText']('On my way'));
  await press(renderer, 'send');
  // A second tap, before the first message is written.
  await press(renderer, 'send');
  await until('the message is shown, and waits', () => dump(renderer).includes('> On my way …'));
  await until('the composer is empty', () => dump(renderer).includes('[Message]'));
  screens['A thread, with a message that waits'] = dump(renderer);
  expect((await client.pending()).pending).toBe(1);

  await act(async () => void (await client.sync()));
  await until('the server has it', () => dump(renderer).includes('> On my way ✓'));
  await act(async () => renderer.unmount());
  await client.shutdown();
});

test('a thread of 10,000 messages is scrolled by 50', async () => {
  const { client } = await adaWithThread(10_000);
  const renderer = await shown(client);
  expect(dump(renderer)).toContain('  Report 10000 of 10000');
  await press(renderer, 'open Admin');
  await until('the newest is shown', () => reports(renderer).includes(10_000));

  // A page of 50 is held, of which the list draws what its window needs.
  const items = () => renderer.root.findByProps({ testID: 'thread', inverted: true }).props['data'] as unknown[];
  const held = items().length;
  expect(held).toBeGreaterThanOrEqual(50);
  expect(held).toBeLessThan(60);
  expect(reports(renderer)).not.toContain(9_940);

  // Scrolled up by 50 messages, the next page comes, and no more than that.
  await scrollTo(renderer, () => 50, 'older messages come', () => items().length >= held + 50);
  await scrollTo(renderer, () => 50, 'they are drawn', () => reports(renderer).includes(9_931));
  expect(items().length).toBeLessThan(held + 160);
  screens['A thread of 10,000 messages, scrolled by 50'] = inWindow(dump(renderer));

  await act(async () => renderer.unmount());
  await client.shutdown();
});

test('the screens are those in docs/screens', () => {
  compare(screens);
});

/** The dump in docs is made here, and compared; `FIELDPOST_WRITE_SCREENS=1` writes it anew. */
function compare(screens: Record<string, string>): void {
  const text = Object.entries(screens).map(([title, screen]) => `## ${title}\n\n${screen}`).join('\n');
  if (process.env['FIELDPOST_WRITE_SCREENS'] === '1') {
    writeFileSync(SCREENS, text);
  }
  expect(readFileSync(SCREENS, 'utf8')).toBe(text);
}
