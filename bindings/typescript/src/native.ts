/** What is generated for Node. Metro takes `native.native.ts` in its place. */

export * from './generated/node/fieldpost_ffi';
