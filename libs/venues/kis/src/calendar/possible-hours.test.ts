import { describe, expect, it } from 'vitest';
import type { Segment } from '../layout/streams.js';
import { SessionCalendar } from './calendar.js';
import { parseTradingDays } from './trading-days.js';

/** Of the autumn holidays of 2026; its Saturdays and Sundays follow the week. */
const LIST = [
  { date: '2026-09-01', open: true },
  { date: '2026-09-24', open: false },
  { date: '2026-09-25', open: false },
  { date: '2026-11-30', open: true },
];
const calendar = new SessionCalendar(parseTradingDays(JSON.stringify({ days: LIST })));

const at = (time: string): bigint =>
  Temporal.PlainDateTime.from(`2026-${time}`).toZonedDateTime('Asia/Seoul').epochNanoseconds;
const text = (instant: bigint): string =>
  Temporal.Instant.fromEpochNanoseconds(instant)
    .toZonedDateTimeISO('Asia/Seoul')
    .toPlainDateTime()
    .toString()
    .slice(5, 16);

function possible(segment: Segment, from: string, to: string, by = calendar): readonly [string, string] | undefined {
  const stretch = by.possibleWithin(segment, { from: at(from), to: at(to) });
  return stretch && [text(stretch.from), text(stretch.to)];
}

describe('the part of a stretch in which data may have come', () => {
  it.each<[string, Segment, string, string]>([
    ['over night', 'KRX', '09-15T20:05', '09-16T08:30'],
    ['over night, of Nextrade', 'NXT', '09-15T20:05', '09-16T08:00'],
    ['over a weekend', 'KRX', '09-18T20:05', '09-21T08:30'],
    ['over holidays and the weekend behind them', 'KRX', '09-23T20:05', '09-28T08:30'],
    ['at noon of a holiday', 'UN', '09-24T12:00', '09-24T12:00'],
  ])('is none %s', (_, segment, from, to) => {
    expect(possible(segment, from, to)).toBeUndefined();
  });

  it.each<[string, Segment, string, string, string, string]>([
    [
      'of a night that begins five minutes too early',
      'KRX',
      '09-15T20:04',
      '09-16T03:00',
      '09-15T20:04',
      '09-15T20:05',
    ],
    ['of a night into the morning', 'KRX', '09-15T23:00', '09-16T08:31', '09-16T08:30', '09-16T08:31'],
    ['of a night into the pre-market of Nextrade', 'UN', '09-15T23:00', '09-16T08:01', '09-16T08:00', '09-16T08:01'],
    ['of some days', 'KRX', '09-18T21:00', '09-27T12:00', '09-21T08:30', '09-23T20:05'],
    ['within a session', 'KRX', '09-15T10:00', '09-15T11:00', '09-15T10:00', '09-15T11:00'],
    ['of an instant', 'KRX', '09-15T10:00', '09-15T10:00', '09-15T10:00', '09-15T10:00'],
    ['before the after-market began', 'KRX', '09-11T17:00', '09-11T23:00', '09-11T17:00', '09-11T18:05'],
    // Hours move on days of which the list says only that they trade.
    ['between two sessions of a day', 'KRX', '09-15T15:36', '09-15T15:39', '09-15T15:36', '09-15T15:39'],
  ])('is what lies between a day’s first session and its last: %s', (_, segment, from, to, first, last) => {
    expect(possible(segment, from, to)).toEqual([first, last]);
  });

  it('is not narrowed by days that no list speaks of, a Saturday among them', () => {
    expect(possible('KRX', '12-05T10:00', '12-05T11:00')).toEqual(['12-05T10:00', '12-05T11:00']);
    expect(possible('KRX', '09-19T10:00', '09-19T11:00', new SessionCalendar())).toEqual([
      '09-19T10:00',
      '09-19T11:00',
    ]);
    expect(possible('KRX', '09-19T10:00', '09-19T11:00')).toBeUndefined();
  });

  it('follows a list that comes to be known', () => {
    const learning = new SessionCalendar();
    expect(possible('KRX', '09-24T10:00', '09-24T11:00', learning)).toBeDefined();
    learning.replaceDays(parseTradingDays(JSON.stringify({ days: LIST })));
    expect(possible('KRX', '09-24T10:00', '09-24T11:00', learning)).toBeUndefined();
  });

  it('begins where the stretch does when that is longer ago than any row of closed days', () => {
    expect(calendar.possibleWithin('KRX', { from: 0n, to: at('09-27T12:00') })).toEqual({
      from: 0n,
      to: at('09-23T20:05'),
    });
  });
});
