import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRADES_2025 } from '../../test/captured.js';
import { recordsOf } from '../../test/reading.js';
import { parseBusinessDate } from '../calendar/kst.js';
import { parseTradeId } from '../record/trade-id.js';
import { VolumeSequence, type SequenceState, type Sighting, type VolumeStep } from './volume-sequence.js';

const MONDAY = parseBusinessDate('20260914');
const TUESDAY = parseBusinessDate('20260915');

/** A trade of `volume` shares that brings the day to `cumulative`. */
function step(cumulative: number, volume: number, businessDate = MONDAY): VolumeStep {
  return { businessDate, volume: BigInt(volume), cumulativeVolume: BigInt(cumulative) };
}

function kinds(sequence: VolumeSequence, ...steps: readonly VolumeStep[]): string {
  return steps.map((one) => sequence.observe(one).kind).join(' ');
}

describe('the volume sequence of a symbol', () => {
  it('finds nothing missing in the captured trades', () => {
    const sequence = new VolumeSequence();
    const sightings = recordsOf(TRADES_2025).map((record) => {
      if (record.outcome !== 'event' || record.event.kind !== 'tick') expect.unreachable();
      return sequence.observe({ ...parseTradeId(record.event.tradeId), volume: BigInt(record.event.volume) });
    });
    expect(sightings).toEqual([{ kind: 'first', before: 8_305_215n }, { kind: 'next' }, { kind: 'next' }]);
  });

  it('says at the first trade how much was traded before it', () => {
    expect(new VolumeSequence().observe(step(10, 10))).toEqual({ kind: 'first', before: 0n });
    expect(new VolumeSequence().observe(step(10, 4))).toEqual({ kind: 'first', before: 6n });
  });

  it('says exactly how many shares are missing', () => {
    const sequence = new VolumeSequence();
    kinds(sequence, step(10, 10), step(15, 5));
    expect(sequence.observe(step(40, 3))).toEqual({ kind: 'loss', missedVolume: 22n });
    expect(sequence.missingVolume).toBe(22n);
  });

  it('recognises and counts repeated records', () => {
    const sequence = new VolumeSequence();
    expect(kinds(sequence, step(10, 10), step(15, 5), step(15, 5), step(10, 10), step(20, 5))).toBe(
      'first next repeated repeated next',
    );
    expect(sequence.repeated).toBe(2);
  });

  it('takes late records out of what is missing, once', () => {
    const sequence = new VolumeSequence();
    expect(kinds(sequence, step(10, 10), step(40, 5), step(20, 10), step(35, 15), step(20, 10))).toBe(
      'first loss recovered recovered repeated',
    );
    expect(sequence.missingVolume).toBe(0n);
  });

  it('takes a trade from before the first one as late, not as repeated', () => {
    const sequence = new VolumeSequence();
    expect(kinds(sequence, step(10, 4), step(6, 6), step(6, 6))).toBe('first recovered repeated');
  });

  it('reports a record that holds seen and unseen shares', () => {
    const sequence = new VolumeSequence();
    kinds(sequence, step(10, 10), step(30, 10));
    expect(sequence.observe(step(15, 10))).toEqual({ kind: 'overlap', seenVolume: 5n });
    expect(sequence.observe(step(35, 10))).toEqual({ kind: 'overlap', seenVolume: 5n });
    expect(sequence.observe(step(40, 5))).toEqual({ kind: 'next' });
    expect(sequence.missingVolume).toBe(5n);
  });

  it('begins anew with a business date, and leaves days that are over alone', () => {
    const sequence = new VolumeSequence();
    kinds(sequence, step(10, 10), step(30, 10));
    expect(sequence.observe(step(7, 5, TUESDAY))).toEqual({ kind: 'first', before: 2n });
    expect(sequence.observe(step(40, 10, MONDAY))).toEqual({ kind: 'earlier-day' });
    expect(sequence.observe(step(9, 2, TUESDAY))).toEqual({ kind: 'next' });
  });

  it('goes on after the last stored trade: what came since is missing, what came before was seen', () => {
    const sequence = VolumeSequence.afterTrade('KRX-20260914-100');
    expect(sequence.observe(step(100, 5))).toEqual({ kind: 'repeated' });
    expect(sequence.observe(step(130, 10))).toEqual({ kind: 'loss', missedVolume: 20n });
    expect(VolumeSequence.afterTrade('KRX-20260914-100').observe(step(5, 5, TUESDAY))).toEqual({
      kind: 'first',
      before: 0n,
    });
  });

  it('has no state before its first trade', () => {
    expect(new VolumeSequence().state()).toBeUndefined();
  });

  it('remembers a bounded number of missing stretches, the newest', () => {
    const sequence = new VolumeSequence();
    for (let trade = 0; trade < 1000; trade += 1) sequence.observe(step(10 * (trade + 1), 5));
    expect(sequence.state()?.missing).toHaveLength(256);
    expect(sequence.observe(step(9985, 5)).kind).toBe('recovered');
    expect(sequence.observe(step(9985, 5)).kind).toBe('repeated');
  });

  it('says of what is behind them that it may have come before or not, and counts it as neither', () => {
    const sequence = new VolumeSequence();
    for (let trade = 0; trade < 1000; trade += 1) sequence.observe(step(10 * (trade + 1), 5));
    const restarted = VolumeSequence.from(sequence.state() ?? expect.unreachable());
    for (const each of [sequence, restarted]) {
      expect(kinds(each, step(5, 5), step(10, 5), step(7_435, 5))).toBe('unknown unknown unknown');
      expect(kinds(each, step(7_440, 5), step(7_445, 5), step(7_450, 5))).toBe('repeated recovered repeated');
      expect(each.repeated).toBe(2);
      expect(kinds(each, step(5, 5, TUESDAY), step(5, 5, TUESDAY))).toBe('first repeated');
    }
  });

  it.each([
    { businessDate: '20260231', cumulativeVolume: '1', missing: [], forgottenUpTo: '0' },
    { businessDate: '20260914', cumulativeVolume: 'x', missing: [], forgottenUpTo: '0' },
    { businessDate: '20260914', cumulativeVolume: '1' },
    { businessDate: '20260914', cumulativeVolume: '1', missing: [] },
  ])('refuses a state that is none: %j', (state) => {
    expect(() => VolumeSequence.from(state as unknown as SequenceState)).toThrow(
      'the stored state of a volume sequence',
    );
  });

  it.each(['', 'KRX-20260914', 'KRX-20260914-x', 'XKRX-20260914-1', 'KRX-2026091-1'])('refuses the id %j', (id) => {
    expect(() => VolumeSequence.afterTrade(id)).toThrow('is no trade id of KIS');
  });
});

/** The same rules on a set of single shares. */
class ShareModel {
  readonly #seen = new Set<number>();
  #last: number | undefined;

  observe(cumulative: number, volume: number): Sighting {
    const shares = Array.from({ length: volume }, (_, index) => cumulative - index);
    const before = cumulative - volume;
    const last = this.#last;
    const seen = shares.filter((share) => this.#seen.has(share)).length;
    for (const share of shares) this.#seen.add(share);
    this.#last = Math.max(last ?? 0, cumulative);
    if (last === undefined) return { kind: 'first', before: BigInt(before) };
    if (before === last) return { kind: 'next' };
    if (before > last) return { kind: 'loss', missedVolume: BigInt(before - last) };
    if (seen === volume) return { kind: 'repeated' };
    return seen === 0 ? { kind: 'recovered' } : { kind: 'overlap', seenVolume: BigInt(seen) };
  }

  get missing(): bigint {
    return BigInt((this.#last ?? 0) - this.#seen.size);
  }
}

describe('the volume sequence, against a model of single shares', () => {
  const anyTrade = fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 12 }))
    .map(([cumulative, volume]) => ({
      cumulative,
      volume: Math.min(volume, cumulative),
    }));

  it('agrees on any records in any order, also across a restart', () => {
    fc.assert(
      fc.property(fc.array(anyTrade, { maxLength: 40 }), fc.nat({ max: 40 }), (trades, restartAt) => {
        const model = new ShareModel();
        let sequence = new VolumeSequence();
        trades.forEach(({ cumulative, volume }, index) => {
          const state = sequence.state();
          if (index === restartAt && state !== undefined) {
            sequence = VolumeSequence.from(JSON.parse(JSON.stringify(state)) as SequenceState);
          }
          expect(sequence.observe(step(cumulative, volume))).toEqual(model.observe(cumulative, volume));
          expect(sequence.missingVolume).toBe(model.missing);
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds exactly the shares that a lossy, repeating stream has not delivered', () => {
    const fates = fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.constantFrom('sent', 'lost', 'twice')));
    fc.assert(
      fc.property(fates, (day) => {
        const sequence = new VolumeSequence();
        let cumulative = 0;
        let seenUpTo = 0;
        let lost = 0;
        let reported = 0n;
        let repeated = 0;
        for (const [volume, fate] of day) {
          cumulative += volume;
          if (fate === 'lost') continue;
          lost += cumulative - volume - seenUpTo;
          seenUpTo = cumulative;
          const sighting = sequence.observe(step(cumulative, volume));
          if (sighting.kind === 'loss') reported += sighting.missedVolume;
          if (sighting.kind === 'first') reported += sighting.before;
          if (fate === 'twice') {
            expect(sequence.observe(step(cumulative, volume)).kind).toBe('repeated');
            repeated += 1;
          }
        }
        expect(reported).toBe(BigInt(lost));
        expect(sequence.repeated).toBe(repeated);
      }),
    );
  });
});
