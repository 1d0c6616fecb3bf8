/** What is generated for React Native, in place of `native.ts`. */

export * from './generated/react-native/fieldpost_ffi';
