import { describe, expect, it } from 'vitest';
import { SequenceRanges } from './sequence-ranges.js';

describe('sequence ranges', () => {
  it('have what was added, until it lies below what is forgotten', () => {
    const ranges = new SequenceRanges();
    ranges.add({ from: 3, to: 5 });
    ranges.add({ from: 5, to: 6 });
    ranges.add({ from: 9, to: 10 });
    const had = () => Array.from({ length: 12 }, (_, at) => at).filter((at) => ranges.has(at));
    expect(had()).toEqual([3, 4, 5, 9]);
    ranges.forgetBelow(5);
    expect(had()).toEqual([3, 4, 5, 9]);
    ranges.forgetBelow(6);
    expect(had()).toEqual([9]);
  });
});
