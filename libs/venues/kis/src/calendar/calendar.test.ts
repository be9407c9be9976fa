import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Segment } from '../layout/streams.js';
import { SessionCalendar } from './calendar.js';
import { parseBusinessDate } from './kst.js';
import type { Session } from './sessions.js';
import { parseTradingDays } from './trading-days.js';

const calendar = new SessionCalendar(
  parseTradingDays(
    JSON.stringify({
      days: [
        { date: '2026-01-01', open: false },
        { date: '2026-01-02', open: true, opening: '10:00' },
        { date: '2026-11-19', open: true, opening: '10:00', closing: '16:30' },
        { date: '2026-12-24', open: true, closing: '12:30' },
        { date: '2026-12-25', open: false },
      ],
    }),
  ),
);

function at(time: string): bigint {
  return Temporal.PlainDateTime.from(time).toZonedDateTime('Asia/Seoul').epochNanoseconds;
}

function clock(instant: bigint): string {
  return Temporal.Instant.fromEpochNanoseconds(instant)
    .toZonedDateTimeISO('Asia/Seoul')
    .toPlainTime()
    .toString({ smallestUnit: 'minute' });
}

function hours(segment: Segment, date: string): readonly string[] {
  return calendar.sessionsOn(segment, parseBusinessDate(date)).map(shown);
}

function shown({ segment, phase, from, to }: Session): string {
  return `${segment} ${phase} ${clock(from)}-${clock(to)}`;
}

describe('the sessions of a day', () => {
  it('of KRX end with the after-market since 2026-09-14', () => {
    expect(hours('KRX', '20260914')).toEqual([
      'KRX pre-open 08:30-08:40',
      'KRX opening-auction 08:30-09:00',
      'KRX continuous 09:00-15:20',
      'KRX closing-auction 15:20-15:30',
      'KRX after-close 15:40-16:00',
      'KRX after-market 16:00-20:00',
    ]);
  });

  it('of KRX ended with the single-price session until then', () => {
    expect(hours('KRX', '20260911').at(-1)).toBe('KRX single-price 16:00-18:00');
  });

  it('of Nextrade are three', () => {
    expect(hours('NXT', '20260914')).toEqual([
      'NXT pre-market 08:00-08:50',
      'NXT continuous 09:00-15:20',
      'NXT after-market 15:30-20:00',
    ]);
  });

  it('of both together are those of each, by start', () => {
    expect(hours('UN', '20260914')).toHaveLength(9);
    expect(hours('UN', '20260914')[0]).toBe('NXT pre-market 08:00-08:50');
  });

  it('move by an hour on the day of the college exam, but for the end of the after-hours; Nextrade has no pre-market', () => {
    expect(hours('KRX', '20261119')).toEqual([
      'KRX pre-open 09:30-09:40',
      'KRX opening-auction 09:30-10:00',
      'KRX continuous 10:00-16:20',
      'KRX closing-auction 16:20-16:30',
      'KRX after-close 16:40-17:00',
      'KRX after-market 17:00-20:00',
    ]);
    expect(hours('NXT', '20261119')).toEqual(['NXT continuous 10:00-16:20', 'NXT after-market 16:30-20:00']);
  });

  it('open at ten and close as ever on the first trading day of the year', () => {
    expect(hours('KRX', '20260102').slice(1, 4)).toEqual([
      'KRX opening-auction 09:30-10:00',
      'KRX continuous 10:00-15:20',
      'KRX closing-auction 15:20-15:30',
    ]);
  });

  it('close early on a half day', () => {
    expect(hours('KRX', '20261224').slice(2)).toEqual([
      'KRX continuous 09:00-12:20',
      'KRX closing-auction 12:20-12:30',
      'KRX after-close 12:40-13:00',
      'KRX after-market 13:00-20:00',
    ]);
  });

  it('are none on holidays and weekends', () => {
    expect([hours('UN', '20261225'), hours('UN', '20260912'), hours('UN', '20260913')]).toEqual([[], [], []]);
  });
});

describe('the session calendar', () => {
  it.each<[Segment, string, boolean]>([
    ['KRX', '2026-09-14T08:29:59.999999999', false],
    ['KRX', '2026-09-14T08:30', true],
    ['KRX', '2026-09-14T15:29:59', true],
    ['KRX', '2026-09-14T15:30', false],
    ['KRX', '2026-09-14T15:40', true],
    ['KRX', '2026-09-14T19:59:59', true],
    ['KRX', '2026-09-14T20:00', false],
    ['KRX', '2026-09-11T18:00', false],
    ['KRX', '2026-09-12T10:00', false],
    ['NXT', '2026-09-14T08:00', true],
    ['NXT', '2026-09-14T08:50', false],
    ['NXT', '2026-11-19T08:30', false],
    ['UN', '2026-09-14T08:00', true],
    ['UN', '2026-09-14T15:35', true],
    ['UN', '2026-09-14T07:59:59', false],
    ['UN', '2026-12-25T10:00', false],
  ])('expects data of %s at %s: %s', (segment, time, expected) => {
    expect(calendar.isDataExpected(segment, at(time))).toBe(expected);
  });

  it.each<[Segment, string, boolean, boolean]>([
    ['KRX', '2026-09-14T08:35', false, true],
    ['KRX', '2026-09-14T09:00', true, true],
    ['KRX', '2026-09-14T15:25', false, true],
    ['KRX', '2026-09-14T15:45', false, false],
    ['KRX', '2026-09-11T17:00', false, true],
    ['UN', '2026-09-14T08:35', true, true],
    ['UN', '2026-09-14T15:45', true, true],
    ['NXT', '2026-09-14T08:55', false, false],
  ])('knows whether at %s of %s trades and books come all the time: %s, %s', (segment, time, trades, books) => {
    const steady = (['tick', 'orderbook'] as const).map((channel) => calendar.isSteady(segment, channel, at(time)));
    expect(steady).toEqual([trades, books]);
  });

  it('names the sessions that are on, also overlapping ones', () => {
    expect(calendar.sessionsAt('KRX', at('2026-09-14T08:35')).map(({ phase }) => phase)).toEqual([
      'pre-open',
      'opening-auction',
    ]);
    expect(calendar.sessionsAt('KRX', at('2026-09-14T12:00')).map(shown)).toEqual(['KRX continuous 09:00-15:20']);
  });

  it.each<[Segment, string, string]>([
    ['KRX', '2026-09-14T08:00', '2026-09-14T08:30'],
    ['KRX', '2026-09-14T08:30', '2026-09-14T09:00'],
    ['KRX', '2026-09-14T15:35', '2026-09-14T15:40'],
    ['KRX', '2026-09-11T20:00', '2026-09-14T08:30'],
    ['NXT', '2026-12-24T20:00', '2026-12-28T08:00'],
    ['UN', '2026-12-31T23:59:59', '2027-01-01T08:00'],
  ])('knows the next session of %s after %s: %s', (segment, time, start) => {
    expect(calendar.nextSession(segment, at(time))?.from).toBe(at(start));
  });

  it.each([
    ['2026-09-14T00:00', '20260914'],
    ['2026-09-14T23:59:59.999999999', '20260914'],
    ['2026-09-15T00:00', '20260915'],
    ['2026-09-12T12:00', '20260911'],
    ['2026-09-13T23:59:59', '20260911'],
    ['2026-12-25T10:00', '20261224'],
    ['2026-12-27T10:00', '20261224'],
    ['2026-01-01T10:00', '20251231'],
  ])('knows the business date at %s: %s', (time, date) => {
    expect(calendar.businessDateOf(at(time))).toBe(date);
  });

  it.each([
    ['100000', '2026-09-14T10:00:00', '20260914'],
    ['100400', '2026-09-14T10:00:00', '20260914'],
    ['104500', '2026-09-14T10:00:00', '20260914'],
    ['000001', '2026-09-14T23:59:59', '20260915'],
    ['000001', '2026-09-15T00:00:00', '20260915'],
    ['200000', '2026-09-14T23:30:00', '20260914'],
    ['235959', '2026-09-11T23:59:59', '20260911'],
    ['153000', '2026-09-13T23:30:00', '20260911'],
    ['235959', '2026-09-15T00:00:01', '20260914'],
    ['153000', '2026-09-14T07:30:00', '20260911'],
    ['200000', '2026-09-13T12:00:00', '20260911'],
  ])('dates a quote of %s that arrives at %s: %s', (time, arrival, date) => {
    expect(calendar.dateOfQuote(time, at(arrival))).toBe(date);
  });

  it('refuses to date what is no time', () => {
    expect(() => calendar.dateOfQuote('1000', at('2026-09-14T10:00'))).toThrow('expected HHMMSS');
  });

  it('does not search for ever when nothing trades', () => {
    const days = Array.from({ length: 200 }, (_, index) => ({
      date: Temporal.PlainDate.from('2026-06-01').add({ days: index }).toString(),
      open: false,
    }));
    const closed = new SessionCalendar(parseTradingDays(JSON.stringify({ days })));
    expect(closed.nextSession('KRX', at('2026-08-20T10:00'))).toBeUndefined();
    expect(() => closed.businessDateOf(at('2026-08-20T10:00'))).toThrow(
      'trading calendar: no trading day in the 60 days before 2026-08-20T01:00:00Z',
    );
  });

  it('says the same in every time zone of the process', () => {
    const zone = process.env['TZ'];
    const answers = ['UTC', 'America/New_York', 'Pacific/Kiritimati', 'Asia/Seoul'].map((name) => {
      process.env['TZ'] = name;
      return [calendar.businessDateOf(at('2026-09-15T00:30')), hours('KRX', '20260915')];
    });
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('keeps its own laws at any instant', () => {
    const instants = fc.bigInt({ min: at('2025-01-01T00:00'), max: at('2027-12-31T00:00') });
    fc.assert(
      fc.property(instants, fc.constantFrom<Segment>('KRX', 'NXT', 'UN'), (instant, segment) => {
        const date = calendar.businessDateOf(instant);
        expect(calendar.sessionsOn('UN', date).length).toBeGreaterThan(0);
        for (const session of calendar.sessionsAt(segment, instant)) expect(session.businessDate).toBe(date);
        const next = calendar.nextSession(segment, instant);
        if (next === undefined) expect.unreachable();
        expect(next.from).toBeGreaterThan(instant);
        expect(calendar.isDataExpected(segment, next.from)).toBe(true);
        const both = calendar.isDataExpected('KRX', instant) || calendar.isDataExpected('NXT', instant);
        expect(calendar.isDataExpected('UN', instant)).toBe(both);
      }),
      { numRuns: 500 },
    );
  });
});
