import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fetchVersitygw, kafkaUnavailable, versitygwUnavailable } from '@aipx/stack';
import { readOptions, USAGE } from './options.ts';
import { isSound, reportJson, reportText } from './report.ts';
import { runFaults } from './run.ts';
import { scheduleOf } from './schedule.ts';

const INTERRUPTED = 130;
const RECORDER = resolve(import.meta.dirname, '../../../apps/data-recorder/dist/main.js');

const options = readOptions(process.argv.slice(2));
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const missing = [kafkaUnavailable(), versitygwUnavailable(), kcatUnavailable(), recorderUnavailable()].filter(
  (reason) => reason !== undefined,
);
if (missing.length > 0) {
  console.log(`SKIPPED, nothing was killed: ${missing.join('; ')}`);
  process.exit(0);
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
const { seed, kills, jsonFile, keepFolder } = options;
const folder = resolve(keepFolder ?? join(tmpdir(), `aipx-faults-${process.pid}`));
await mkdir(folder, { recursive: true });
await fetchVersitygw(stopping.signal, say);
const steps = scheduleOf(options);
say(`seed ${seed}, ${kills} kills; logs and data are in ${folder}`);
try {
  const recorderCommand = [process.execPath, RECORDER];
  const result = await runFaults({ folder, seed, steps, recorderCommand, say, signal: stopping.signal });
  const sound = isSound(result, steps);
  if (jsonFile !== undefined) {
    await writeFile(jsonFile, `${JSON.stringify(reportJson(result, options, steps), undefined, 2)}\n`);
  }
  if (sound && keepFolder === undefined) await rm(folder, { recursive: true });
  else say(`everything is left in ${folder}`);
  console.log(reportText(result));
  process.exitCode = sound ? 0 : 1;
} catch (error) {
  if (!stopping.signal.aborted) throw error;
  process.exitCode = INTERRUPTED;
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 23)} ${line}\n`);
}

function kcatUnavailable(): string | undefined {
  const { error } = spawnSync('kcat', ['-V']);
  return error === undefined
    ? undefined
    : 'kcat is not on the PATH: install it (Debian, Ubuntu: apt-get install kcat; macOS: brew install kcat)';
}

function recorderUnavailable(): string | undefined {
  return existsSync(RECORDER) ? undefined : `the recorder is not built: nx run data-recorder:build`;
}
