// Installs an archive into an empty folder, and uses it as an app does: CommonJS, modules, and the compiler, strict.
//
//     node tried.mjs ARCHIVE FOLDER [--offline]

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { offline: { type: 'boolean', default: false } } });
const [archive, folder] = positionals.map((path) => resolve(path));
const tools = join(dirname(fileURLToPath(import.meta.url)), '../node_modules');

function run(what, command, ...given) {
  const { status, stdout, stderr } = spawnSync(command, given, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`${what} failed:\n${stdout}${stderr}`);
  }
  console.log(`${what}: ok`);
  return stdout;
}

function write(file, text) {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
write('package.json', JSON.stringify({ name: 'tried', private: true, dependencies: { fieldpost: `file:${archive}` } }));
// An app for Node has no use for React: it is an optional peer.
run('npm install', 'npm', 'install', '--no-audit', '--no-fund', ...(values.offline ? ['--offline'] : []));

const use = `
  const client = await Client.open({ database: process.argv[2] ?? '' });
  if ((await client.conversations()).length !== 0) throw new Error('there are conversations');
  const updates = [];
  for await (const diffs of await client.watchConversations()) {
    updates.push(...diffs);
    break;
  }
  if (updates[0]?.tag !== 'Reset') throw new Error('no reset came');
  const wrong = await client.send('none' as never, 'x').then(() => undefined, (error: unknown) => error);
  if (!(wrong instanceof FieldpostError) || wrong.kind !== 'InvalidArgument') throw new Error(String(wrong));
  await client.shutdown();
  console.log(VERSION);`;
const javaScript = use.replaceAll(' as never', '').replaceAll(': unknown', '');
const { version } = JSON.parse(readFileSync(join(folder, 'node_modules/fieldpost/package.json'), 'utf8'));

write('required.cjs', `const { Client, FieldpostError, VERSION } = require('fieldpost');\n(async () => {${javaScript}\n})();`);
write('imported.mjs', `import { Client, FieldpostError, VERSION } from 'fieldpost';${javaScript}\n`);
for (const file of ['required.cjs', 'imported.mjs']) {
  const told = run(`node ${file}`, process.execPath, file, join(folder, `${file}.db`)).trim();
  if (told !== version) {
    throw new Error(`${file} says ${told}, and package.json ${version}`);
  }
}

// The compilers of apps: modules of Node, bundlers, and what React Native's template has. Nothing is skipped where it need not be.
for (const types of ['node', 'react']) {
  cpSync(join(tools, '@types', types), join(folder, 'node_modules/@types', types), { recursive: true });
}
for (const name of ['undici-types', 'csstype']) {
  cpSync(join(tools, name), join(folder, 'node_modules', name), { recursive: true });
}
write('src/app.mts', `import { Client, FieldpostError, VERSION } from 'fieldpost';${use}\n`);
write('src/app.cts', `import { Client, FieldpostError, VERSION } from 'fieldpost';\nexport async function main(): Promise<void> {${use}\n}\n`);
write('src/hooks.ts', `import type { ConversationId } from 'fieldpost';
import { keyOf, useTimeline } from 'fieldpost/react';
export function useKeys(conversation: ConversationId): string[] {
  const { items } = useTimeline(conversation, { page: 20 });
  return items.map(keyOf);
}
`);
const strict = { strict: true, noEmit: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, target: 'ES2022', lib: ['ES2023'] };
const projects = {
  nodenext: { module: 'NodeNext', moduleResolution: 'NodeNext', types: ['node'] },
  bundler: { module: 'ESNext', moduleResolution: 'Bundler', types: ['node'] },
  'react-native': { module: 'ESNext', moduleResolution: 'Bundler', customConditions: ['react-native'], skipLibCheck: true, types: ['node'] },
};
for (const [name, options] of Object.entries(projects)) {
  write(`tsconfig.${name}.json`, JSON.stringify({ compilerOptions: { ...strict, ...options }, include: ['src'] }));
  run(`tsc, ${name}`, process.execPath, join(tools, 'typescript/bin/tsc'), '--project', `tsconfig.${name}.json`);
}
