import { expect, it } from 'vitest';
import { frameFaults, runFaults } from './run-check.ts';

it('finds fault with frames of which nothing can be compared', () => {
  const book = { symbol: 'A', time: '1', bids: [], asks: [], totalBid: '', totalAsk: '' };
  expect(frameFaults({ venues: new Map() })).toHaveLength(1);
  expect(frameFaults({ venues: new Map([['kis', { ticks: [], books: [] }]]) })).toHaveLength(1);
  expect(frameFaults({ venues: new Map([['kis', { ticks: [], books: [book] }]]) })).toEqual([]);
});

it.each([
  [2, 2, true, 0],
  [2, 3, true, 1],
  [2, 0, true, 1],
  [0, 0, false, 1],
])('of %i unreadable frames, %i rejected, with ok %s, there are %i faults', (unreadable, rejected, ok, faults) => {
  expect(runFaults(unreadable, { ok, dropped: { rejected } })).toHaveLength(faults);
});
