// Packs what npm publishes. The addresses of the project in package.json are placeholders that the generator demands: they stay out, and
// nothing that names them is packed. Says for which platforms the archive has a library.
//
//     node pack.mjs FOLDER [--library FILE]
//
// With `--library`, that file is the library of this machine, in place of the one that the tests use.

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { library: { type: 'string' } } });
if (positionals.length !== 1) {
  throw new Error('node pack.mjs FOLDER [--library FILE]');
}
const PLACEHOLDER = /example\.com/;
const source = join(dirname(fileURLToPath(import.meta.url)), '..');
const root = join(source, '../..');
const out = resolve(positionals[0]);
const staged = join(out, 'staged');

const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));

function stage() {
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { recursive: true });
  for (const name of manifest.files) {
    // The licences are those of the repository. The libraries for phones are built on other machines.
    const place = [join(source, name), join(root, name)].find(existsSync);
    if (place !== undefined) {
      cpSync(place, join(staged, name), { recursive: true });
    }
  }
  writeFileSync(join(staged, 'package.json'), `${JSON.stringify(published(), undefined, 2)}\n`);
  writeFileSync(join(staged, 'README.md'), readme(readFileSync(join(source, 'README.md'), 'utf8')));
}

/** What is for those who build the package, and what is not true yet, is left out. */
function published() {
  const { devDependencies: _, ...rest } = manifest;
  const address = (value) => PLACEHOLDER.test(JSON.stringify(value));
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => !address(value)));
}

/** Files of the repository are not in the archive, so their names remain, and the links go. */
function readme(text) {
  return text.replace(/\[([^\]]*)\]\((\.\.\/[^)]*)\)/g, '$1');
}

function library() {
  if (values.library === undefined) {
    return;
  }
  const file = basename(values.library);
  const places = readdirSync(join(staged, 'prebuilds')).map((platform) => join(staged, 'prebuilds', platform, file));
  const [place, ...others] = places.filter(existsSync);
  if (place === undefined || others.length > 0) {
    throw new Error(`there is not one ${file} in ${join(staged, 'prebuilds')}`);
  }
  rmSync(place);
  cpSync(values.library, place);
}

function files(folder) {
  return readdirSync(folder, { recursive: true }).map((name) => join(folder, name)).filter((file) => statSync(file).isFile());
}

function check() {
  for (const file of files(staged)) {
    const name = relative(staged, file);
    const text = /\.(so|dylib|dll|a)$/.test(name) ? '' : readFileSync(file, 'utf8');
    if (PLACEHOLDER.test(text)) {
      throw new Error(`${name} names an address that is a placeholder`);
    }
    if (text.includes(root) || /\]\(\.\.\//.test(extname(name) === '.md' ? text : '')) {
      throw new Error(`${name} names a place that is only on this machine, or only in the repository`);
    }
  }
}

function pack() {
  const npm = spawnSync('npm', ['pack', '--json', '--pack-destination', out], { cwd: staged, encoding: 'utf8' });
  if (npm.status !== 0) {
    throw new Error(`npm pack failed: ${npm.stderr}`);
  }
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(npm.stdout);
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
  console.log(`${join(out, filename)}: ${entryCount} files, ${megabytes(size)}, unpacked ${megabytes(unpackedSize)}`);
  const node = readdirSync(join(staged, 'prebuilds'));
  const phones = ['android/src/main/jniLibs', 'FieldpostFramework.xcframework'].filter((place) => existsSync(join(staged, place)));
  console.log(`libraries for Node: ${node.join(', ') || 'none'}; for phones: ${phones.join(', ') || 'none'}`);
}

stage();
library();
check();
pack();
