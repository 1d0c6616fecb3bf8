// Adapts the glue of the turbo module: the runtime's package has another name here (dependencies in package.json), and there is no address
// of the project yet. As in adapt.mjs, each replacement must be made.
//
//     node adapt-turbo.mjs

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..');

function adapt(file, what, replacement) {
  const path = join(folder, file);
  const text = readFileSync(path, 'utf8');
  if (text.search(what) < 0) {
    throw new Error(`${path} has no ${what}: the generator has changed`);
  }
  writeFileSync(path, text.replace(what, replacement));
}

adapt('android/CMakeLists.txt', /require\.resolve\('uniffi-bindgen-react-native\/package\.json'\)/, "require.resolve('@ubjs/core/package.json')");
adapt('Fieldpost.podspec', /^(\s*s\.source\s*= ).*$/m, '$1{ :path => "." }');
