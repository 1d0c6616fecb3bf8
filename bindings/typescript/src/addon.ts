/**
 * Loads the library on Node. The addon calls any library that UniFFI has made; which one, and with what functions, is told to it
 * by the generated code.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { LibraryError } from './errors';

type TypeOfValue = { tag: string } & Record<string, unknown>;

const plain = [
  'UInt8', 'Int8', 'UInt16', 'Int16', 'UInt32', 'Int32', 'UInt64', 'Int64', 'Float32', 'Float64',
  'Handle', 'RustBuffer', 'ForeignBytes', 'RustCallStatus', 'VoidPointer', 'Void',
] as const;

/** How the generated code names the types of arguments. */
const FfiType = {
  ...(Object.fromEntries(plain.map((tag) => [tag, { tag }])) as Record<(typeof plain)[number], TypeOfValue>),
  Callback: (name: string): TypeOfValue => ({ tag: 'Callback', name }),
  Struct: (name: string): TypeOfValue => ({ tag: 'Struct', name }),
  Reference: (inner: TypeOfValue): TypeOfValue => ({ tag: 'Reference', inner }),
  MutReference: (inner: TypeOfValue): TypeOfValue => ({ tag: 'MutReference', inner }),
};

interface NativeModule {
  register(definitions: object): object;
}

/** `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc` … */
function platform(): string {
  const { platform: system, arch } = process;
  if (system === 'linux') {
    const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
    return `linux-${arch}-${report?.header?.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
  }
  return system === 'win32' ? `win32-${arch}-msvc` : `${system}-${arch}`;
}

const UniffiNativeModule = {
  open(path: string): NativeModule {
    const name = `@ubjs/node-${platform()}`;
    let addon: { UniffiNativeModule: { open(path: string): NativeModule } };
    try {
      addon = require(name);
    } catch (cause) {
      throw new LibraryError(`fieldpost has no addon for this platform: the package ${name} is not installed`, { cause });
    }
    return addon.UniffiNativeModule.open(path);
  },
};

/** Where the library lies: `prebuilds/<platform>` of this package. */
function resolveLibPath({ crateName }: { crateName: string; callerUrl: string }): string {
  const { platform: system } = process;
  const file =
    system === 'win32' ? `${crateName}.dll` : `lib${crateName}.${system === 'darwin' ? 'dylib' : 'so'}`;
  const path = join(__dirname, '..', 'prebuilds', platform(), file);
  if (!existsSync(path)) {
    throw new LibraryError(
      `fieldpost was installed without its library for ${platform()}; ` +
        'in the repository, run `cargo xtask bindings build --only typescript`',
    );
  }
  return path;
}

export default { UniffiNativeModule, FfiType, resolveLibPath };
