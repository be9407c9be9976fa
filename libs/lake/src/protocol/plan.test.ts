import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planBytes, readPlan, type Plan } from './plan.js';

const KEY = 'market-data/_plan/market.tick-0-00000000000000000100.json';
const plan: Plan = {
  partition: { topic: 'market.tick', partition: 0 },
  logId: 'log-1',
  begin: 100n,
  end: 200n,
  hashBefore: 'a'.repeat(64),
  lastHash: 'b'.repeat(64),
  undecodable: [
    { begin: 110n, end: 112n },
    { begin: 150n, end: 151n },
  ],
  unused: [],
  hours: [
    { hour: '2024-05-01T13', rows: 90, first: 100n, last: 198n },
    { hour: '2024-05-01T14', rows: 7, first: 190n, last: 199n },
  ],
};

const edited = (edit: (json: Record<string, unknown>) => unknown) => {
  const json = JSON.parse(new TextDecoder().decode(planBytes(plan))) as Record<string, unknown>;
  return new TextEncoder().encode(`${JSON.stringify(edit(json))}\n`);
};

describe('a stored plan', () => {
  it('reads back as it was written', () => {
    expect(readPlan(KEY, planBytes(plan))).toEqual(plan);
  });

  it('reads back without the hashes of records that retention took', () => {
    const taken: Plan = { ...plan, hashBefore: null, lastHash: null, undecodable: [], hours: [] };
    expect(readPlan(KEY, planBytes(taken))).toEqual(taken);
  });

  it('reads back with offsets that hold no record', () => {
    const marked: Plan = { ...plan, unused: [{ begin: 160n, end: 161n }], hours: plan.hours.slice(0, 1) };
    expect(readPlan(KEY, planBytes(marked))).toEqual(marked);
  });

  it('is spelled in one way, so that equal plans are equal bytes', () => {
    expect(new TextDecoder().decode(planBytes(plan))).toBe(
      '{"format":"aipx.lake.plan/1","topic":"market.tick","partition":0,"logId":"log-1","begin":"100","end":"200",' +
        `"hashBefore":"${'a'.repeat(64)}","lastHash":"${'b'.repeat(64)}","undecodable":[["110","112"],["150","151"]],` +
        '"hours":[{"hour":"2024-05-01T13","rows":90,"first":"100","last":"198"},' +
        '{"hour":"2024-05-01T14","rows":7,"first":"190","last":"199"}]}\n',
    );
  });

  it.each<[string, (json: Record<string, unknown>) => unknown, RegExp]>([
    ['an unknown format', (json) => ({ ...json, format: 'aipx.lake.plan/2' }), /has format/],
    ['an offset as a number', (json) => ({ ...json, begin: 100 }), /has begin 100; expected an offset/],
    ['an end before its begin', (json) => ({ ...json, end: '100' }), /has end "100"; expected an offset behind begin/],
    ['no log', (json) => ({ ...json, logId: undefined }), /has logId absent/],
    ['a hash before offset 0', (json) => ({ ...json, begin: '0' }), /expected null at offset 0/],
    ['a hash that is none', (json) => ({ ...json, lastHash: 'b' }), /expected a SHA-256/],
    ['undecodable offsets outside', (json) => ({ ...json, undecodable: [['99', '101']] }), /within the batch/],
    ['unused offsets outside', (json) => ({ ...json, unused: [['199', '201']] }), /within the batch/],
    ['more unused offsets than fit', (json) => ({ ...json, unused: [['160', '163']] }), /no more rows/],
    [
      'undecodable offsets twice',
      (json) => ({
        ...json,
        undecodable: [
          ['110', '112'],
          ['111', '113'],
        ],
      }),
      /ascending ranges/,
    ],
    [
      'hours out of order',
      (json) => ({ ...json, hours: (json['hours'] as unknown[]).toReversed() }),
      /ascending hours/,
    ],
    [
      'more rows than offsets',
      (json) => ({ ...json, hours: [{ hour: '2024-05-01T13', rows: 98, first: '100', last: '199' }] }),
      /no more rows/,
    ],
    [
      'an hour that is none',
      (json) => ({ ...json, hours: [{ hour: '13', rows: 1, first: '100', last: '100' }] }),
      /expected an hour/,
    ],
    ['a field of its own', (json) => ({ ...json, note: 'hello' }), /has fields or a spelling of its own/],
    ['a list', () => [], /is not a JSON object/],
  ])('is refused with %s', (_, edit, message) => {
    expect(() => readPlan(KEY, edited(edit))).toThrow(message);
    expect(() => readPlan(KEY, edited(edit))).toThrow(
      expect.objectContaining({ code: 'STORE_DAMAGED', context: { key: KEY } }),
    );
  });

  it('is refused wherever a byte is cut off, changed or added', () => {
    const bytes = planBytes(plan);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const changed = bytes.map((byte, index) => (index === at ? byte ^ difference : byte));
        expect(() => readPlan(KEY, bytes.slice(0, at))).toThrow(KEY);
        // A changed digit or letter may be another plan that is just as well formed, but never the same one.
        expect(readOrRefuse(changed)).not.toEqual(plan);
        expect(() => readPlan(KEY, new Uint8Array([...bytes, difference]))).toThrow(KEY);
      }),
    );
  });
});

function readOrRefuse(bytes: Uint8Array): Plan | undefined {
  try {
    return readPlan(KEY, bytes);
  } catch (error) {
    expect(error).toMatchObject({ code: 'STORE_DAMAGED' });
    return undefined;
  }
}
