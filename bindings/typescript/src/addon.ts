/**
 * Loads the library on Node. The addon calls any library that UniFFI has made; which one, and with what functions, is told to it
 * by the generated code.
 */

import { existsSync, readdirSync } from 'node:fs';
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

interface Addon {
  UniffiNativeModule: { open(path: string): NativeModule };
}

const PREBUILDS = join(__dirname, '..', 'prebuilds');

/** `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc` … */
function platform(): string {
  const { platform: system, arch } = process;
  if (system === 'linux') {
    return `linux-${arch}-${hasGlibc() ? 'gnu' : 'musl'}`;
  }
  return system === 'win32' ? `win32-${arch}-msvc` : `${system}-${arch}`;
}

function hasGlibc(): boolean {
  const report = process.report as (NodeJS.ProcessReport & { excludeNetwork?: boolean }) | undefined;
  if (report === undefined) {
    return true;
  }
  // The report looks up the names of the network's addresses, which takes seconds on some machines. Older Nodes do not know this.
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    return (report.getReport() as { header?: { glibcVersionRuntime?: string } }).header?.glibcVersionRuntime !== undefined;
  } finally {
    report.excludeNetwork = before;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const UniffiNativeModule = {
  open(path: string): NativeModule {
    const name = `@ubjs/node-${platform()}`;
    let addon: Addon;
    try {
      addon = require(name) as Addon;
    } catch (cause) {
      const absent = (cause as { code?: string }).code === 'MODULE_NOT_FOUND';
      throw new LibraryError(
        absent
          ? `the package ${name} is not installed, which fieldpost needs on this platform. Install without --omit=optional; if the ` +
            'lock file was made on another platform, remove it and node_modules, and install again'
          : `the package ${name} cannot be loaded: ${reasonOf(cause)}`,
        { cause },
      );
    }
    try {
      return addon.UniffiNativeModule.open(path);
    } catch (cause) {
      // The system says why: a glibc that is too old, a file that is cut off.
      throw new LibraryError(`the library of fieldpost cannot be loaded: ${reasonOf(cause)}`, { cause });
    }
  },
};

/** Where the library lies: `prebuilds/<platform>` of this package. */
function resolveLibPath({ crateName }: { crateName: string; callerUrl: string }): string {
  const { platform: system } = process;
  const file =
    system === 'win32' ? `${crateName}.dll` : `lib${crateName}.${system === 'darwin' ? 'dylib' : 'so'}`;
  const path = join(PREBUILDS, platform(), file);
  if (!existsSync(path)) {
    throw new LibraryError(
      `this package of fieldpost has no library for Node on ${platform()}, but for: ${built().join(', ') || 'no platform'}. ` +
        'In the repository of fieldpost, `cargo xtask bindings build --only typescript` builds one for the machine that it runs on',
    );
  }
  return path;
}

function built(): string[] {
  return existsSync(PREBUILDS) ? readdirSync(PREBUILDS).sort() : [];
}

export default { UniffiNativeModule, FfiType, resolveLibPath };
