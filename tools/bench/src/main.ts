import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { invocationFolder, onStopSignals } from '@aipx/service';
import { measureEncode, measureParse } from './codec.ts';
import { GROUPS, machineLine, table, thisMachine, type Figure, type Group, type Report } from './figures.ts';
import { SimulatedInput } from './input.ts';
import { measureLog } from './log.ts';
import type { Bench, Effort } from './measure.ts';
import { measureCold, measureHot } from './recorders.ts';

const USAGE = `usage: npm run bench -- [--only ${GROUPS.join(',')}] [--out FILE] [--quick]\n`;
const FULL: Effort = { rounds: 5, turns: 8, records: { tick: 100_000, orderbook: 20_000 } };
/** Enough to see that everything can be measured; the figures are of no worth. */
const QUICK: Effort = { rounds: 2, turns: 2, records: { tick: 2_000, orderbook: 500 } };
const DEFAULT_OUT = join(import.meta.dirname, '..', '..', '..', 'reports', 'bench.json');

const MEASURES: Readonly<Record<Group, (bench: Bench) => Promise<readonly Figure[]>>> = {
  parse: measureParse,
  encode: measureEncode,
  log: measureLog,
  hot: measureHot,
  cold: measureCold,
};

const options = readOptions();
if (options === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  const { stop } = onStopSignals();
  try {
    await run(options, stop);
  } catch (cause) {
    if (!stop.aborted) throw cause;
    process.exitCode = 130;
  }
}

interface Options {
  readonly groups: readonly Group[];
  readonly quick: boolean;
  readonly out: string;
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: { only: { type: 'string' }, out: { type: 'string' }, quick: { type: 'boolean', default: false } },
    });
    const asked = new Set<string>(values.only?.split(',') ?? GROUPS);
    const groups = GROUPS.filter((group) => asked.delete(group));
    if (asked.size > 0) return undefined;
    const out = values.out === undefined ? DEFAULT_OUT : resolve(invocationFolder(), values.out);
    return { groups, quick: values.quick, out };
  } catch {
    return undefined;
  }
}

async function run({ groups, quick, out }: Options, signal: AbortSignal): Promise<void> {
  const effort = quick ? QUICK : FULL;
  const head = { measuredAt: new Date().toISOString(), quick, rounds: effort.rounds, machine: thisMachine() };
  const figures: Figure[] = [];
  for (const group of groups) {
    process.stderr.write(`measuring ${group}\n`);
    figures.push(...(await measureInFolder(group, effort, signal)));
  }
  const report: Report = { ...head, figures };
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(`${machineLine(head.machine)}\n\n${table(figures)}`);
}

/** Each group has an input that begins anew, and a folder that is gone afterwards, Ctrl-C included. */
async function measureInFolder(group: Group, effort: Effort, signal: AbortSignal): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), `aipx-bench-${group}-`));
  try {
    return await MEASURES[group]({ input: new SimulatedInput(), effort, folder, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
