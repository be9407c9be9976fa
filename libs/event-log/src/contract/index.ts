import { describe } from 'vitest';
import { appendContract } from './append.js';
import { consumeContract } from './consume.js';
import type { NewHarness } from './harness.js';
import { readContract } from './read.js';

export type { LogHarness, NewHarness } from './harness.js';
export { RecordingHandler } from './recording-handler.js';

/** What every driver of `EventLog` keeps. Call it in a test file of the driver, with a way to make an empty log. */
export function eventLogContract(driver: string, newHarness: NewHarness): void {
  describe(`${driver} as an event log`, () => {
    appendContract(newHarness);
    readContract(newHarness);
    consumeContract(newHarness);
  });
}
