import { expect, it } from 'vitest';
import { runFaults } from './run-check.ts';

it.each([
  [2, 2, true, 0],
  [2, 3, true, 1],
  [2, 0, true, 1],
  [0, 0, false, 1],
])('of %i unreadable frames, %i rejected, with ok %s, there are %i faults', (unreadable, rejected, ok, faults) => {
  expect(runFaults(unreadable, { ok, dropped: { rejected } })).toHaveLength(faults);
});
