import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { invocationFolder } from '@aipx/service';

export const PARTS = ['rates', 'ceiling'] as const;
export type Part = (typeof PARTS)[number];

export const USAGE =
  `usage: npm run bench:ingestion -- [--only ${PARTS.join(',')}] [--rates 1000,10000] [--seconds 60] [--steps 15000,20000]\n` +
  '                                  [--minutes 10] [--node-flags "FLAGS"] [--out FILE] [--quick]\n';

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
  /** Of the Node.js that runs the service and the bare producer. */
  readonly nodeFlags: readonly string[];
  readonly out: string;
  readonly quick: boolean;
}

/** As `npm start` runs: small heap steps keep resident memory level from the first seconds on. */
const NODE_FLAGS = '--max-semi-space-size=8 --heap-growing-percent=20';
const DEFAULT_OUT = join(import.meta.dirname, '..', '..', '..', '..', 'reports', 'ingestion-bench.json');
const FULL = {
  rates: '1000,10000',
  seconds: 60,
  warmUpSeconds: 5,
  steps: '15000,20000,25000,30000,35000,40000,50000,60000',
  stepSeconds: 12,
};
/** Enough to see that everything can be measured; the figures are of no worth. */
const QUICK: typeof FULL = { rates: '200,1000', seconds: 2, warmUpSeconds: 1, steps: '1500,2000', stepSeconds: 1 };

/** Absent when they are wrong. */
export function readOptions(args: readonly string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        rates: { type: 'string' },
        seconds: { type: 'string' },
        steps: { type: 'string' },
        minutes: { type: 'string', default: '0' },
        'node-flags': { type: 'string', default: NODE_FLAGS },
        out: { type: 'string' },
        quick: { type: 'boolean', default: false },
      },
    });
    const effort = values.quick ? QUICK : FULL;
    const asked = new Set<string>(values.only?.split(',') ?? PARTS);
    const parts = PARTS.filter((part) => asked.delete(part));
    const rates = numbers(values.rates ?? effort.rates);
    const steps = numbers(values.steps ?? effort.steps);
    const [seconds = Number.NaN] = numbers(values.seconds ?? String(effort.seconds));
    const minutes = Number(values.minutes);
    const isRight = asked.size === 0 && ![...rates, ...steps, seconds].some(Number.isNaN) && minutes >= 0;
    if (!isRight) return undefined;
    return {
      ...effort,
      parts,
      rates,
      steps: steps.toSorted((a, b) => a - b),
      seconds,
      minutes,
      nodeFlags: values['node-flags'].split(' ').filter((flag) => flag !== ''),
      out: values.out === undefined ? DEFAULT_OUT : resolve(invocationFolder(), values.out),
      quick: values.quick,
    };
  } catch {
    return undefined; // an unknown flag
  }
}

/** Above 0, else NaN. */
function numbers(list: string): readonly number[] {
  return list.split(',').map((text) => (Number(text) > 0 ? Number(text) : Number.NaN));
}
