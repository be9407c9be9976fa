import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Nanoseconds } from '@aipx/market-model';
import { errnoOf, fileFault } from './spill/spill-error.js';

/**
 * Times by name, as a file of the spill folder keeps them. Empty where there is none, or a loss of power has cut it.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` when it cannot be read
 */
export function readTimes(path: string): Map<string, Nanoseconds> {
  try {
    const times = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, string>>;
    return new Map(Object.entries(times).map(([name, time]) => [name, BigInt(time)]));
  } catch (cause) {
    if (errnoOf(cause) === undefined || errnoOf(cause) === 'ENOENT') return new Map();
    throw fileFault(cause, path);
  }
}

/** A reader finds the times before or these. Throws what the file system says. */
export function writeTimes(path: string, times: Iterable<readonly [name: string, time: Nanoseconds]>): void {
  const texts = [...times].map(([name, time]) => [name, String(time)]);
  writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(texts)));
  renameSync(`${path}.new`, path);
}
