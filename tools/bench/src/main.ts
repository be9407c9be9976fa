import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { invocationFolder } from '@aipx/service';
import { measureEncode, measureParse } from './codec.ts';
import { GROUPS, machineLine, table, thisMachine, type Figure, type Group, type Report } from './figures.ts';
import { SimulatedInput } from './input.ts';
import { measureLog } from './log.ts';
import type { Bench, Effort } from './measure.ts';
import { inFolder, publish, runProgram, tell } from './program.ts';
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

await runProgram({ read: readOptions, usage: USAGE, run });

interface Options {
  readonly groups: readonly Group[];
  readonly quick: boolean;
  readonly out: string;
}

/** @throws {Error} saying which argument is wrong */
function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, out: { type: 'string' }, quick: { type: 'boolean', default: false } },
  });
  const asked = new Set<string>(values.only?.split(',') ?? GROUPS);
  const groups = GROUPS.filter((group) => asked.delete(group));
  const [unknown] = asked;
  if (unknown !== undefined) {
    throw new Error(`--only: there is no ${JSON.stringify(unknown)}; there are ${GROUPS.join(', ')}`);
  }
  const out = values.out === undefined ? DEFAULT_OUT : resolve(invocationFolder(), values.out);
  return { groups, quick: values.quick, out };
}

async function run({ groups, quick, out }: Options, signal: AbortSignal): Promise<void> {
  const effort = quick ? QUICK : FULL;
  const head = { measuredAt: new Date().toISOString(), quick, rounds: effort.rounds, machine: thisMachine() };
  const figures: Figure[] = [];
  for (const group of groups) {
    tell(`measuring ${group}`);
    // Each group has an input that begins anew.
    const measure = (folder: string) => MEASURES[group]({ input: new SimulatedInput(), effort, folder, signal });
    figures.push(...(await inFolder(group, measure)));
  }
  const report: Report = { ...head, figures };
  await publish(report, out, `${machineLine(head.machine)}\n\n${table(figures)}`);
}
