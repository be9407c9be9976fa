import fc from 'fast-check';
import type { Decimal, Tick } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { SessionCalendar } from '../calendar/calendar.js';
import type { Segment } from '../layout/streams.js';
import { VolumeMemory } from './memory.js';

const calendar = new SessionCalendar();

function trade(
  cumulative: number,
  volume: number,
  date = '20260915',
  symbol = '005930',
  segment: Segment = 'KRX',
): Tick {
  return {
    kind: 'tick',
    exchange: 'kis',
    symbol,
    price: '70000' as Decimal,
    volume: String(volume) as Decimal,
    timestamp: 1n,
    change: undefined,
    changeRate: undefined,
    side: 'BUY',
    tradeId: `${segment}-${date}-${cumulative}`,
    receivedTimestamp: 1n,
    streamType: 'REALTIME',
  };
}

/** What each trade shows to be missing, in shares, or `repeated`, or what is noticed of it. */
function seen(memory: VolumeMemory, ...trades: readonly Tick[]): readonly string[] {
  return trades.map((each) => {
    const { isRepeated, missing, notice } = memory.observe(each);
    if (isRepeated) return 'repeated';
    return notice ?? missing.map(({ missedVolume }) => missedVolume).join(' and ');
  });
}

const NOT_KNOWN = 'the volumes of 005930 say that trades came before, which are not known as such: they are kept';

describe('the memory of volumes', () => {
  it('names what is missing between two trades, and knows one that came before', () => {
    const memory = new VolumeMemory(calendar);
    const shown = seen(memory, trade(100, 10), trade(103, 3), trade(110, 2), trade(110, 2), trade(111, 1));
    expect(shown).toEqual(['', '', '5', 'repeated', '']);
  });

  it('compares nothing with the trades of a symbol that it was to forget, until one to go on from is known', () => {
    const memory = new VolumeMemory(calendar);
    const other = (cumulative: number) => trade(cumulative, 1, '20260915', '000660');
    seen(memory, trade(100, 10), other(5));
    memory.forget('005930');
    expect(seen(memory, trade(900, 10), trade(905, 1), other(8))).toEqual(['', '4', '2']);
    memory.forget('005930');
    expect(seen(memory, trade(50, 50, '20260916'))).toEqual(['']);
    memory.forget('005930');
    expect(seen(memory, trade(80, 10, '20260916'))).toEqual(['']);
    memory.resume(trade(60, 10, '20260916'));
    expect(seen(memory, trade(81, 1, '20260916'))).toEqual(['10']);
  });

  it('says nothing of what was before the first trade it ever sees', () => {
    expect(seen(new VolumeMemory(calendar), trade(1_000_000, 1))).toEqual(['']);
  });

  it('goes on behind what another process has seen meanwhile, on the same day or another', () => {
    const memory = new VolumeMemory(calendar);
    expect(seen(memory, trade(100, 10))).toEqual(['']);
    memory.resume(trade(500, 1));
    expect(seen(memory, trade(503, 2))).toEqual(['1']);
    memory.resume(trade(70, 1, '20260916'));
    expect(seen(memory, trade(73, 1, '20260916'))).toEqual(['2']);
  });

  it('begins anew each day, where it knows the day before: all of a day up to the first trade is missing', () => {
    const memory = new VolumeMemory(calendar);
    const next = '20260916';
    expect(seen(memory, trade(100, 10), trade(7, 7, next), trade(9, 1, next))).toEqual(['', '', '1']);
    expect(seen(memory, trade(50, 1, '20260917'))).toEqual(['49']);
  });

  it('keeps symbols apart', () => {
    const memory = new VolumeMemory(calendar);
    const other = (cumulative: number) => trade(cumulative, 1, '20260915', '000660');
    expect(seen(memory, trade(100, 1), other(7), trade(101, 1), other(9))).toEqual(['', '', '', '1']);
  });

  it('keeps segments apart: each counts its own volume, also where the segment was changed within the day', () => {
    const memory = new VolumeMemory(calendar);
    const nextrade = (cumulative: number, volume: number) => trade(cumulative, volume, '20260915', '005930', 'NXT');
    memory.resume(trade(5_000, 10));
    expect(seen(memory, nextrade(40, 10), nextrade(55, 5), nextrade(5_000, 1))).toEqual(['', '10', '4944']);
    memory.resume(nextrade(20, 1));
    expect(seen(memory, nextrade(5_001, 1), trade(5_003, 1))).toEqual(['10', '2']);
  });

  it('lets a late trade pass that is behind what is remembered: nobody knows whether it came', () => {
    const memory = new VolumeMemory(calendar);
    for (let each = 1; each <= 1_000; each += 1) memory.observe(trade(10 * each, 5));
    expect(seen(memory, trade(5, 5), trade(9_990, 5))).toEqual(['', 'repeated']);
  });

  it('goes on behind the last stored trade after a restart within the day', () => {
    const memory = new VolumeMemory(calendar);
    memory.resume(trade(100, 10));
    expect(seen(memory, trade(130, 5), trade(131, 1))).toEqual(['25', '']);
  });

  it('names what lies between the last stored trade and the first new one also when it learns of the former later', () => {
    const memory = new VolumeMemory(calendar);
    expect(seen(memory, trade(130, 5))).toEqual(['']);
    memory.resume(trade(100, 10));
    expect(seen(memory, trade(131, 1), trade(135, 1))).toEqual(['25', '3']);
    const seamless = new VolumeMemory(calendar);
    seen(seamless, trade(130, 5));
    seamless.resume(trade(125, 10));
    expect(seen(seamless, trade(131, 1))).toEqual(['']);
  });

  it.each<[string, Partial<Tick>]>([
    ['price', { price: '70100' as Decimal }],
    ['time', { timestamp: 2n }],
    ['size', { volume: '1' as Decimal }],
  ])('keeps a trade that has the cumulative volume of an earlier one and another %s', (_what, other) => {
    const memory = new VolumeMemory(calendar);
    expect(seen(memory, trade(100, 10), trade(110, 10), { ...trade(110, 10), ...other })).toEqual(['', '', NOT_KNOWN]);
    expect(seen(memory, trade(110, 10), trade(120, 10))).toEqual(['repeated', '']);
  });

  it('keeps every trade of a counter that began anew within the day', () => {
    const memory = new VolumeMemory(calendar);
    expect(seen(memory, trade(1_000, 10), trade(5, 5), trade(8, 3), trade(8, 3))).toEqual(['', '', '', 'repeated']);
    const second = new VolumeMemory(calendar);
    second.resume(trade(1_000, 10));
    expect(seen(second, trade(5, 5), trade(8, 3), trade(8, 3))).toEqual([NOT_KNOWN, NOT_KNOWN, 'repeated']);
  });

  it('knows the last stored trade again, and keeps those before it: the log tells repeated ones', () => {
    const memory = new VolumeMemory(calendar);
    seen(memory, trade(130, 5));
    memory.resume(trade(120, 20));
    expect(seen(memory, trade(120, 20), trade(110, 5))).toEqual(['repeated', NOT_KNOWN]);
  });

  it('remembers a bounded number of trades, the newest', () => {
    const memory = new VolumeMemory(calendar);
    for (let each = 1; each <= 1_000; each += 1) memory.observe(trade(each, 1));
    expect(seen(memory, trade(745, 1), trade(744, 1))).toEqual(['repeated', NOT_KNOWN]);
  });

  it('notices trades of a day that is over, and volumes that overlap, and keeps them', () => {
    const memory = new VolumeMemory(calendar);
    expect(seen(memory, trade(10, 10), trade(100, 10, '20260914'), trade(15, 10))).toEqual([
      '',
      'trades of 005930 have a business date before the present one; they are kept',
      'the volumes of 005930 overlap: trades say that shares were traded twice; they are kept',
    ]);
  });

  it('does not compare with a stored trade of another day', () => {
    const memory = new VolumeMemory(calendar);
    seen(memory, trade(130, 5));
    memory.resume(trade(100, 10, '20260914'));
    expect(seen(memory, trade(131, 1))).toEqual(['']);
  });

  it('wants stored trades from the beginning of the day in Korea', () => {
    const noon = BigInt(Date.UTC(2026, 8, 15, 3)) * 1_000_000n;
    expect(new VolumeMemory(calendar).usefulSince(noon)).toBe(BigInt(Date.UTC(2026, 8, 14, 15)) * 1_000_000n);
  });

  it('finds exactly the volume that is left out, wherever connections and processes begin', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 2, maxLength: 60 });
    const fates = fc.array(fc.constantFrom('seen', 'lost', 'restart'), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(sizes, fates, (volumes, fate) => {
        let cumulative = 0;
        const trades = volumes.map((volume) => trade((cumulative += volume), volume));
        let memory = new VolumeMemory(calendar);
        let last = trades[0];
        let found = 0n;
        for (const [at, each] of trades.entries()) {
          const isLast = at === trades.length - 1;
          if (at > 0 && !isLast && fate[at] === 'lost') continue;
          if (at > 0 && fate[at] === 'restart' && last !== undefined) {
            memory = new VolumeMemory(calendar);
            memory.resume(last);
          }
          for (const { missedVolume } of memory.observe(each).missing) found += BigInt(missedVolume ?? 0);
          last = each;
        }
        const lost = volumes.filter((_, at) => at > 0 && at < volumes.length - 1 && fate[at] === 'lost');
        expect(found).toBe(BigInt(lost.reduce((sum, volume) => sum + volume, 0)));
      }),
    );
  });
});
