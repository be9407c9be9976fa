import { describe, expect, it } from 'vitest';
import { parseTradingDays, tradingDay } from './trading-days.js';

function day(json: string, date: string) {
  return tradingDay(parseTradingDays(json), Temporal.PlainDate.from(date));
}

describe('the calendar file', () => {
  it('may list a whole year or exceptions only: other days follow the week', () => {
    const list = '{"days":[{"date":"2026-12-25","open":false},{"date":"2026-12-26","open":true}]}';
    expect(day(list, '2026-12-25')).toBeUndefined();
    expect(day(list, '2026-12-26')).toEqual({ opening: 540, closing: 930, nxtPreMarket: true });
    expect(day(list, '2026-12-28')).toEqual({ opening: 540, closing: 930, nxtPreMarket: true });
    expect(day(list, '2026-12-27')).toBeUndefined();
  });

  it('moves opening and closing, and leaves out the Nextrade pre-market of a late opening unless told otherwise', () => {
    const entry = (rest: string) => `{"days":[{"date":"2026-11-19","open":true${rest}}]}`;
    expect(day(entry(',"opening":"10:00","closing":"16:30"'), '2026-11-19')).toEqual({
      opening: 600,
      closing: 990,
      nxtPreMarket: false,
    });
    expect(day(entry(',"opening":"10:00","nxtPreMarket":true'), '2026-11-19')?.nxtPreMarket).toBe(true);
    expect(day(entry(',"nxtPreMarket":false'), '2026-11-19')?.nxtPreMarket).toBe(false);
  });

  it.each([
    ['{', 'the file is not JSON'],
    ['[]', 'expected {"days":'],
    ['{"days":{}}', 'expected {"days":'],
    ['{"days":[7]}', 'days[0]: expected an object with date and open'],
    ['{"days":[{"open":true}]}', 'days[0].date is absent; expected a day such as 2026-12-25'],
    ['{"days":[{"date":"20261225","open":true}]}', 'days[0].date is "20261225"; expected a day such as'],
    ['{"days":[{"date":"2026-02-31","open":true}]}', 'days[0].date: not a time: "20260231"'],
    ['{"days":[{"date":"2026-12-25"}]}', 'days[0].open is absent; expected true or false'],
    ['{"days":[{"date":"2026-12-25","open":"N"}]}', 'days[0].open is "N"; expected true or false'],
    ['{"days":[{"date":"2026-12-25","open":true,"opening":"9:00"}]}', 'days[0].opening is "9:00"; expected a time'],
    ['{"days":[{"date":"2026-12-25","open":true,"closing":900}]}', 'days[0].closing is 900; expected a time'],
    ['{"days":[{"date":"2026-12-25","open":true,"opening":"16:00"}]}', 'days[0]: opening is not before closing'],
    ['{"days":[{"date":"2026-12-25","open":true,"nxtPreMarket":1}]}', 'days[0].nxtPreMarket is 1; expected true'],
    ['{"days":[{"date":"2026-12-25","opnd_yn":"N"}]}', 'days[0]: "opnd_yn" is none of date, open, opening'],
    [
      '{"days":[{"date":"2026-12-25","open":false},{"date":"2026-12-25","open":false}]}',
      'days[1]: 20261225 is listed twice',
    ],
  ])('is refused when it is %s', (json, message) => {
    expect(() => parseTradingDays(json)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => parseTradingDays(json)).toThrow(`trading calendar: ${message}`);
  });
});
