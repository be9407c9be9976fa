import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { invocationFolder } from '@aipx/service';

export const PARTS = ['hot', 'cold', 'flat'] as const;
export type Part = (typeof PARTS)[number];

export const USAGE =
  `usage: npm run bench:recorder -- [--only ${PARTS.join(',')}] [--rows 200000] [--rounds 5]\n` +
  '                                 [--minutes 10] [--rate 10000] [--out FILE] [--quick]\n';

export interface Options {
  readonly parts: readonly Part[];
  /** Trades of a round; of books a fifth. */
  readonly rows: number;
  /** Rounds that count, after one that warms up. */
  readonly rounds: number;
  /** Of the long run. */
  readonly minutes: number;
  /** Records a second of the long run. */
  readonly rate: number;
  readonly out: string;
  readonly quick: boolean;
}

const DEFAULT_OUT = join(import.meta.dirname, '..', '..', '..', '..', 'reports', 'recorder-bench.json');
const FULL = { rows: '200000', rounds: '5', minutes: '10', rate: '10000' };
/** Enough to see that everything can be measured; the figures are of no worth. */
const QUICK: typeof FULL = { rows: '2000', rounds: '1', minutes: '0.05', rate: '500' };

/** @throws {Error} saying which argument is wrong */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: PARTS.join(',') },
      rows: { type: 'string' },
      rounds: { type: 'string' },
      minutes: { type: 'string' },
      rate: { type: 'string' },
      out: { type: 'string' },
      quick: { type: 'boolean', default: false },
    },
  });
  const { rows, rounds, minutes, rate } = { ...(values.quick ? QUICK : FULL), ...values };
  return {
    parts: values.only.split(',').map(partOf),
    rows: wholeNumber('--rows', rows),
    rounds: wholeNumber('--rounds', rounds),
    minutes: positive('--minutes', minutes),
    rate: wholeNumber('--rate', rate),
    out: values.out === undefined ? DEFAULT_OUT : resolve(invocationFolder(), values.out),
    quick: values.quick,
  };
}

function partOf(name: string): Part {
  const part = PARTS.find((each) => each === name);
  if (part === undefined) throw new Error(`--only: there is no ${JSON.stringify(name)}; there are ${PARTS.join(', ')}`);
  return part;
}

function wholeNumber(flag: string, text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`${flag}: expected a whole number above 0, got ${JSON.stringify(text)}`);
}

function positive(flag: string, text: string): number {
  if (Number(text) > 0 && Number.isFinite(Number(text))) return Number(text);
  throw new Error(`${flag}: expected a number above 0, got ${JSON.stringify(text)}`);
}
