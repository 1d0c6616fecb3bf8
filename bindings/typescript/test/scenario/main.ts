/** `node main.js FILE --url URL --key KEY --folder FOLDER`: one JSON line per step on standard output. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import type { Fields } from './looks';
import { Runner, type Step } from './runner';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string', default: '' },
    key: { type: 'string', default: '' },
    folder: { type: 'string', default: '.' },
    kept: { type: 'string', default: '{}' },
    crash: { type: 'boolean', default: false },
  },
});

const read = JSON.parse(readFileSync(positionals[0] ?? '', 'utf8')) as Step[] | { steps: Step[] };
const steps = Array.isArray(read) ? read : read.steps;
const runner = new Runner(values.url, values.key, values.folder, JSON.parse(values.kept) as Fields);
void runner.run(steps, values.crash).then((code) => {
  process.exitCode = code;
});
