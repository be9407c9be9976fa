import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { SimulatedInput } from './input.ts';

export interface Bench {
  readonly input: SimulatedInput;
  readonly effort: Effort;
  /** Empty, and on the disk that is to be measured. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** How long to measure. */
export interface Effort {
  /** Rounds that count, after one that warms up. */
  readonly rounds: number;
  /** How often, in one round, each piece of work that only computes has its turn. */
  readonly turns: number;
  /** Records of one round of a store. */
  readonly records: { readonly tick: number; readonly orderbook: number };
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(samples: readonly number[]): Spread {
  const ascending = samples.toSorted((a, b) => a - b);
  const at = (index: number): number => ascending[index] ?? Number.NaN;
  const last = ascending.length - 1;
  return { median: (at(Math.floor(last / 2)) + at(Math.ceil(last / 2))) / 2, min: at(0), max: at(last) };
}

/** The rounds' samples by name, the warm-up left out. */
export async function inRounds<Name extends string>(
  { effort, signal }: Bench,
  round: () => Promise<Readonly<Record<Name, number>>> | Readonly<Record<Name, number>>,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const results: Readonly<Record<Name, number>>[] = [];
  while (results.length < effort.rounds + 1) {
    await eventLoopTurn(undefined, { signal }); // a round that only computes would never let Ctrl-C in
    results.push(await round());
  }
  const [warmUp, ...counted] = results;
  const names = Object.keys(warmUp ?? {}) as Name[];
  const samples = names.map((name) => [name, counted.map((result) => result[name])]);
  return Object.fromEntries(samples) as Record<Name, readonly number[]>;
}

/** Passes over the items in one turn: some 20 ms, several ticks of the clock that counts CPU time. */
const PASSES = 4;

/**
 * CPU time of this thread, µs, that each piece of work takes per item. Not the clock's time, because what else the machine
 * does would count as well; and by turns, so that a processor that is slow for a while is slow for all of them.
 */
export function cpuMicros<Item, Name extends string>(
  items: readonly Item[],
  { effort }: Bench,
  works: Readonly<Record<Name, (item: Item) => unknown>>,
): Readonly<Record<Name, number>> {
  const all = Object.entries<(item: Item) => unknown>(works).map(([name, work]) => ({ name, work, micros: 0 }));
  for (let turn = 0; turn < effort.turns; turn += 1) {
    for (const one of all) one.micros += cpuMicrosOfTurn(items, one.work);
  }
  const done = items.length * PASSES * effort.turns;
  return Object.fromEntries(all.map(({ name, micros }) => [name, micros / done])) as Record<Name, number>;
}

function cpuMicrosOfTurn<Item>(items: readonly Item[], work: (item: Item) => unknown): number {
  const begun = process.threadCpuUsage();
  let result: unknown;
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const item of items) result = work(item);
  }
  const { user, system } = process.threadCpuUsage(begun);
  // Looking at the result keeps the compiler from leaving the work out.
  if (result === undefined) throw new Error('the work that is measured has no result');
  return user + system;
}

/** Records a second by the clock: stores work in other threads and processes, too. */
export async function recordsPerSecond(records: number, work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (records * 1000) / (performance.now() - begun);
}
