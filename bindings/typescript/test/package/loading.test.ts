/** What a person is told whose package cannot be loaded. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const PACKAGE = join(__dirname, '../..');
const PLATFORM = readdirSync(join(PACKAGE, 'prebuilds'))[0] as string;

/** The package somewhere else, with a change, loaded by a process of its own. */
function loaded(change: (folder: string) => void, before = ''): { status: number | null; stdout: string; stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), 'fieldpost-'));
  for (const part of ['package.json', 'dist']) {
    cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  }
  mkdirSync(join(folder, 'prebuilds'));
  symlinkSync(join(PACKAGE, 'prebuilds', PLATFORM), join(folder, 'prebuilds', PLATFORM));
  symlinkSync(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
  change(folder);
  const code = `${before}; const { libraryVersion } = require('fieldpost'); console.log(libraryVersion());`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', code], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  rmSync(folder, { recursive: true });
  return { status, stdout, stderr };
}

const unchanged = (): void => undefined;

test('the package loads from another folder', () => {
  assert.deepEqual(loaded(unchanged), { status: 0, stdout: '0.1.0\n', stderr: '' });
});

test('on a platform without a library, it says for which there is one, and how to get another', () => {
  const systems: [string, string, string][] = [
    ['darwin', 'arm64', 'darwin-arm64'],
    ['darwin', 'x64', 'darwin-x64'],
    ['win32', 'x64', 'win32-x64-msvc'],
    ['linux', 'arm64', 'linux-arm64-gnu'],
  ];
  for (const [system, arch, name] of systems) {
    const { status, stderr } = loaded(
      unchanged,
      `for (const [name, value] of [['platform', '${system}'], ['arch', '${arch}']]) Object.defineProperty(process, name, { value })`,
    );
    assert.notEqual(status, 0);
    const told = `LibraryError: this package of fieldpost has no library for Node on ${name}, but for: ${PLATFORM}. `;
    assert.ok(stderr.includes(told), stderr);
    assert.match(stderr, /cargo xtask bindings build --only typescript/);
    assert.doesNotMatch(stderr, /different versions/);
  }
});

test('without glibc it names the platform with musl', () => {
  const { stderr } = loaded(unchanged, 'process.report.getReport = () => ({ header: {} })');
  assert.match(stderr, /has no library for Node on linux-\w+-musl/);
});

test('without any library it says so', () => {
  const { stderr } = loaded((folder) => rmSync(join(folder, 'prebuilds'), { recursive: true }));
  assert.match(stderr, /LibraryError: this package of fieldpost has no library for Node on \S+, but for: no platform\./);
});

test('without the addon it names the package, and says how it gets lost', () => {
  const { stderr } = loaded((folder) => {
    rmSync(join(folder, 'node_modules'));
    mkdirSync(join(folder, 'node_modules/@ubjs'), { recursive: true });
    symlinkSync(join(PACKAGE, 'node_modules/@ubjs/core'), join(folder, 'node_modules/@ubjs/core'));
  });
  assert.match(stderr, new RegExp(`LibraryError: the package @ubjs/node-${PLATFORM} is not installed`));
  assert.match(stderr, /--omit=optional; if the lock file was made on another platform/);
});

test('a library that the system cannot load is not called one of another version', () => {
  const { status, stderr } = loaded((folder) => {
    rmSync(join(folder, 'prebuilds', PLATFORM));
    mkdirSync(join(folder, 'prebuilds', PLATFORM));
    for (const file of readdirSync(join(PACKAGE, 'prebuilds', PLATFORM))) {
      writeFileSync(join(folder, 'prebuilds', PLATFORM, file), 'no library');
    }
  });
  assert.notEqual(status, 0);
  assert.match(stderr, /LibraryError: the library of fieldpost cannot be loaded: \S+/);
  assert.doesNotMatch(stderr, /different versions/);
});

test('the platform is found without asking the network', () => {
  const watched = `
    const { getReport } = process.report;
    process.report.excludeNetwork = false;
    process.report.getReport = function () {
      console.log('excluded: ' + process.report.excludeNetwork);
      return getReport.call(process.report);
    };
    process.on('exit', () => console.log('after: ' + process.report.excludeNetwork))`;
  const { stdout } = loaded(unchanged, watched);
  const lines = stdout.trim().split('\n');
  assert.ok(lines.includes('excluded: true'), stdout);
  assert.ok(!lines.includes('excluded: false'), stdout);
  assert.equal(lines.at(-1), 'after: false');
});

test('the addons that package.json names are those that the lock file has', () => {
  type Manifest = { optionalDependencies: Record<string, string>; dependencies: Record<string, string> };
  const manifest = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as Manifest;
  const lock = JSON.parse(readFileSync(join(PACKAGE, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; optional?: boolean }>;
  };
  const core = lock.packages['node_modules/@ubjs/core']?.version;
  assert.equal(manifest.dependencies['@ubjs/core'], `npm:uniffi-bindgen-react-native@${core}`);
  for (const [name, version] of Object.entries(manifest.optionalDependencies)) {
    assert.equal(version, core, `${name} and the runtime are of one version`);
    assert.equal(lock.packages[`node_modules/${name}`]?.version, version);
    assert.equal(lock.packages[`node_modules/${name}`]?.optional, true);
  }
});
