import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { invocationFolder } from '@aipx/service';

export const PARTS = ['rates', 'ceiling'] as const;
export type Part = (typeof PARTS)[number];

export const USAGE =
  `usage: npm run bench:ingestion -- [--only ${PARTS.join(',')}] [--rates 1000,10000] [--seconds 60] [--steps 15000,20000]\n` +
  '                                  [--minutes 10] [--node-flags="FLAGS"] [--out FILE] [--quick]\n';

export interface Options {
  readonly parts: readonly Part[];
  /** Messages a second. */
  readonly rates: readonly number[];
  /** Of each rate, after the warm-up. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Rates to try for the highest one that holds, ascending, and how long each is tried. */
  readonly steps: readonly number[];
  readonly stepSeconds: number;
  /** Above 0: one long run at the highest of the rates instead, to see whether memory stays level. */
  readonly minutes: number;
  /** Of the Node.js that runs the service and the bare producer. Both keep their heap small by themselves. */
  readonly nodeFlags: readonly string[];
  readonly out: string;
  readonly quick: boolean;
}

const DEFAULT_OUT = join(import.meta.dirname, '..', '..', '..', '..', 'reports', 'ingestion-bench.json');
const FULL = {
  rates: '1000,10000',
  seconds: 60,
  warmUpSeconds: 30,
  steps: '15000,20000,25000,30000,35000,40000,50000,60000',
  stepSeconds: 12,
};
/** Enough to see that everything can be measured; the figures are of no worth. */
const QUICK: typeof FULL = { rates: '200,1000', seconds: 2, warmUpSeconds: 1, steps: '1500,2000', stepSeconds: 1 };

/** @throws {Error} saying which argument is wrong */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: PARTS.join(',') },
      rates: { type: 'string' },
      seconds: { type: 'string' },
      steps: { type: 'string' },
      minutes: { type: 'string', default: '0' },
      'node-flags': { type: 'string', default: '' },
      out: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  const effort = values.quick ? QUICK : FULL;
  return {
    ...effort,
    parts: values.only.split(',').map(partOf),
    rates: numbers('--rates', values.rates ?? effort.rates),
    steps: numbers('--steps', values.steps ?? effort.steps).toSorted((a, b) => a - b),
    seconds: number('--seconds', values.seconds ?? String(effort.seconds)),
    minutes: values.minutes === '0' ? 0 : number('--minutes', values.minutes),
    nodeFlags: values['node-flags'].split(' ').filter((flag) => flag !== ''),
    out: values.out === undefined ? DEFAULT_OUT : resolve(invocationFolder(), values.out),
    quick: values.quick,
  };
}

function partOf(name: string): Part {
  const part = PARTS.find((each) => each === name);
  if (part === undefined) throw new Error(`--only: there is no ${JSON.stringify(name)}; there are ${PARTS.join(', ')}`);
  return part;
}

function numbers(flag: string, list: string): readonly number[] {
  return list.split(',').map((text) => number(flag, text));
}

function number(flag: string, text: string): number {
  if (Number(text) > 0) return Number(text);
  throw new Error(`${flag}: expected a number above 0, got ${JSON.stringify(text)}`);
}
