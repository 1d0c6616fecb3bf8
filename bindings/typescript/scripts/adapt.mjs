// Adapts what the generator has written: it imports the strict runtime (src/runtime.ts), takes the addon of src/addon.ts, and
// writes numbers of 64 bits as `number` and enums as unions of texts. Each replacement must be made, so a generator that writes something else is noticed.
//
//     node adapt.mjs FOLDER

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
const forNode = folder.replace(/\/$/, '').endsWith('node');

function adapt(file, replacements) {
  const path = join(folder, file);
  let text = readFileSync(path, 'utf8');
  for (const [what, replacement] of replacements) {
    if (text.search(what) < 0) {
      throw new Error(`${path} has no ${what}: the generator has changed`);
    }
    text = text.replace(what, replacement);
  }
  writeFileSync(path, text);
}

function asUnion(_, name, members) {
  const fields = members.replace(/^ {4}(\w+)( = "\w+")?,?$/gm, "    $1: '$1',");
  return `export const ${name} = {\n${fields}} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
}

adapt('fieldpost_ffi.ts', [
  [/(['"])@ubjs\/core\1/g, "'../../runtime'"],
  // The two places where the library counts one more user of an object for a call.
  [/(\w+ObjectFactory)\.clonePointer\(this\)/g, 'cloned($1, this)'],
  // Numbers of 64 bits, but not the handles that travel between the library and the runtime.
  [/(?<!uniffi\w+: )\bbigint\b/g, 'number'],
  // The library has one place for the callbacks of a process (src/loading.ts).
  [/function uniffiEnsureInitialized\(\)/, 'function uniffiEnsureInitialized(withCallbacks = true)'],
  [/^(\s*)(uniffiCallbackInterface\w+\.register\(\);)/gm, '$1if (withCallbacks) $2'],
  // Enums as unions of texts: `status === 'Queued'`, `diff.tag === 'Reset'`.
  [/^export enum (\w+) \{\n([\s\S]*?)^\}/gm, asUnion],
  [/\btag: \w+_Tags\.(\w+)/g, "tag: '$1'"],
  [/\bUniffiRustCaller\b(?=[\s\S]{0,400}from '\.\.\/\.\.\/runtime')/, 'UniffiRustCaller, calledFrom, cloned'],
  [/__error\.stack = __stack;/g, 'calledFrom(__error, __stack);'],
]);
if (forNode) {
  adapt('fieldpost_ffi-ffi.ts', [
    [/(['"])@ubjs\/node\1/g, "'../../addon'"],
    [/import\.meta\.url/g, '__filename'],
  ]);
}
