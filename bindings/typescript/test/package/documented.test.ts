import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import * as fieldpost from 'fieldpost';
import ts from 'typescript';

import { anonKey, freshFile, url } from './world';

const PACKAGE = join(__dirname, '../..');

/** The examples of a document, by the language after the three ticks. */
function examples(file: string, language: string): string[] {
  const text = readFileSync(join(PACKAGE, file), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((found) => found[1] as string);
}

/** What the strict compiler says of some code that stands within the package. */
function complaints(name: string, codes: string[]): string[] {
  const folder = join(PACKAGE, 'build/documented');
  mkdirSync(folder, { recursive: true });
  const files = codes.map((code, index) => {
    const file = join(folder, `${name}-${index}.tsx`);
    writeFileSync(file, code);
    return file;
  });
  const { config } = ts.readConfigFile(join(PACKAGE, 'tsconfig.react-native.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files }, ts.sys, PACKAGE);
  const program = ts.createProgram([...files, join(PACKAGE, 'types/hermes.d.ts'), join(PACKAGE, 'types/keychain.d.ts')], options);
  return ts.getPreEmitDiagnostics(program).map(
    ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
  );
}

test('the example of the readme compiles and runs', async () => {
  const [code] = examples('README.md', 'ts');
  assert.deepEqual(complaints('readme', [code as string]), []);
  const { outputText } = ts.transpileModule(code as string, { compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 } });
  const exported: { main?: (url: string, key: string, file: string) => Promise<void> } = {};
  new Function('exports', 'require', 'console', outputText)(exported, () => fieldpost, { log: () => undefined });
  await exported.main?.(url, anonKey, freshFile());
  assert.notEqual(exported.main, undefined);
});

test('the examples of the howto compile', () => {
  const found = examples('../../docs/howto/react-native.md', 'tsx');
  assert.ok(found.length >= 4);
  assert.deepEqual(complaints('howto', found), []);
});

test("Expo's config plugin keeps what a project has, and adds what it needs", () => {
  const { changes } = require(join(PACKAGE, 'app.plugin.js'));
  assert.deepEqual(changes.infoPlist({ UIBackgroundModes: ['audio', 'fetch'], CFBundleName: 'x' }), {
    UIBackgroundModes: ['audio', 'fetch'],
    CFBundleName: 'x',
  });
  assert.deepEqual(changes.infoPlist({}, { backgroundSync: false }), {});
  assert.deepEqual(changes.podfile({ 'ios.deploymentTarget': '17.0' }), { newArchEnabled: 'true', 'ios.deploymentTarget': '17.0' });
  assert.deepEqual(changes.podfile({})['ios.deploymentTarget'], '15.1');
  const gradle = changes.gradle([
    { type: 'comment', value: 'kept' },
    { type: 'property', key: 'newArchEnabled', value: 'false' },
    { type: 'property', key: 'android.minSdkVersion', value: '21' },
  ]);
  assert.deepEqual(gradle, [
    { type: 'comment', value: 'kept' },
    { type: 'property', key: 'newArchEnabled', value: 'true' },
    { type: 'property', key: 'android.minSdkVersion', value: '24' },
  ]);
});
