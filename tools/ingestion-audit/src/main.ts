import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { kafkaUnavailable } from '@aipx/stack';
import { kcatUnavailable } from './kcat.ts';
import { resultJson, resultLine, summaryLine } from './report.ts';
import { runScenario, type ScenarioResult } from './run-scenario.ts';
import { LONG, scenario, SCENARIO_NAMES, SHORT, SHORT_NAMES, type ScenarioName } from './scenarios.ts';

const USAGE = `usage: npm run audit:ingestion -- [--short] [--only ${SCENARIO_NAMES.join(',')}] [--seed 1] [--json FILE] [--keep FOLDER]\n`;
const INTERRUPTED = 130;

const { isShort, names, seed, jsonFile, keepFolder } = readArguments();
const missing = [kafkaUnavailable(), kcatUnavailable()].filter((reason) => reason !== undefined);
if (missing.length > 0) {
  console.log(`SKIPPED, nothing was audited: ${missing.join('; ')}`);
  process.exit(0);
}

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
const folder = resolve(keepFolder ?? join(tmpdir(), `ingestion-audit-${process.pid}`));
await mkdir(folder, { recursive: true });
const results: ScenarioResult[] = [];
// Cuts mostly wait for timeouts, so that others may run beside them.
const tracks = isShort ? [names.filter((name) => name === 'cuts'), names.filter((name) => name !== 'cuts')] : [names];
const outcomes = await Promise.allSettled(tracks.map(audit));
if (stopping.signal.aborted) process.exit(INTERRUPTED);
for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
const isSound = results.every(({ findings }) => findings.total === 0);
console.log(summaryLine(results));
if (jsonFile !== undefined) await writeFile(jsonFile, `${JSON.stringify(results.map(resultJson), undefined, 2)}\n`);
if (isSound && keepFolder === undefined) await rm(folder, { recursive: true });
else console.log(`journals, logs and the broker's data are in ${folder}`);
process.exitCode = isSound ? 0 : 1;

/** One scenario after the other. */
async function audit(track: readonly ScenarioName[]): Promise<void> {
  for (const name of track) {
    const options = { folder, seed, signal: stopping.signal };
    const result = await runScenario(scenario(name, isShort ? SHORT : LONG), options);
    results.push(result);
    console.log(resultLine(result));
    for (const line of result.findings.lines) console.log(`  ${line}`);
  }
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        short: { type: 'boolean', default: false },
        only: { type: 'string' },
        seed: { type: 'string', default: '1' },
        json: { type: 'string' },
        keep: { type: 'string' },
      },
    });
    const asked = values.only?.split(',') ?? (values.short ? SHORT_NAMES : SCENARIO_NAMES);
    const names = asked.filter((name): name is ScenarioName => SCENARIO_NAMES.some((known) => known === name));
    const seed = Number(values.seed);
    if (names.length === asked.length && Number.isSafeInteger(seed)) {
      return { isShort: values.short, names, seed, jsonFile: values.json, keepFolder: values.keep };
    }
  } catch {
    // An unknown flag: as below.
  }
  process.stderr.write(USAGE);
  return process.exit(2);
}
