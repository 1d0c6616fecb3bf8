/** What Hermes has and the types of React Native do not. It has no TextDecoder: the generated code looks for it first. */

declare class TextEncoder {
  encode(text: string): Uint8Array;
  encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}

declare const TextDecoder: undefined | (new () => { decode(bytes: Uint8Array): string });
