import { describe, expect, it } from 'vitest';
import { SessionCalendar } from './calendar.js';
import { joinHolidayPages, readHolidayPage } from './holidays.js';
import { parseBusinessDate } from './kst.js';

const CHRISTMAS = { bass_dt: '20261225', wday_dvsn_cd: '06', bzdy_yn: 'N', tr_day_yn: 'N', opnd_yn: 'N' };

function page(rows: readonly unknown[], change: object = {}): string {
  return JSON.stringify({ rt_cd: '0', msg_cd: 'MCA00000', msg1: '정상처리 되었습니다.', output: rows, ...change });
}

describe('a page of the holiday call', () => {
  it('says of each day whether the market opens, by opnd_yn and by none of the other flags', () => {
    const rows = [
      CHRISTMAS,
      { ...CHRISTMAS, bass_dt: '20261228', opnd_yn: 'Y' },
      { bass_dt: '20261231', bzdy_yn: 'Y', tr_day_yn: 'Y', opnd_yn: 'N', sttl_day_yn: 'Y' },
    ];
    expect([...readHolidayPage(page(rows), 'D').days]).toEqual([
      ['20261225', undefined],
      ['20261228', { opening: 540, closing: 930, nxtPreMarket: true }],
      ['20261231', undefined],
    ]);
  });

  it.each([
    ['F', true],
    ['M', true],
    ['D', false],
    ['E', false],
    ['', false],
  ])('with tr_cont %j has another behind it: %s', (continuation, expected) => {
    const { next } = readHolidayPage(
      page([CHRISTMAS], { ctx_area_fk: '20261201', ctx_area_nk: '20270101 ' }),
      continuation,
    );
    expect(next).toEqual(expected ? { ctxAreaFk: '20261201', ctxAreaNk: '20270101 ' } : undefined);
  });

  it.each([
    ['<html>', 'is not JSON: "<html>"'],
    ['{"rt_cd":"0","outp', 'is not JSON'],
    ['[]', 'is no JSON object'],
    ['{"rt_cd":"0"}', 'has no list "output"'],
    [page([7]), 'output[0] is no object'],
    [page([{ bass_dt: '20261225' }]), 'output[0].opnd_yn is absent; expected Y or N'],
    [page([CHRISTMAS, { bass_dt: '20261232', opnd_yn: 'N' }]), 'output[1].bass_dt: not a time: "20261232"'],
  ])('is refused when it is %s', (body, message) => {
    expect(() => readHolidayPage(body, 'D')).toThrow(
      expect.objectContaining({ code: 'VALIDATION_RECORD', message: expect.stringContaining(message) as string }),
    );
  });

  it('that announces another without saying where it begins is refused', () => {
    for (const ctx_area_nk of [undefined, '', '   ']) {
      expect(() => readHolidayPage(page([CHRISTMAS], { ctx_area_fk: '1', ctx_area_nk }), 'M')).toThrow(
        'where it begins',
      );
    }
  });

  it('that KIS refuses to give names its code, also with HTTP 200', () => {
    const body = page([], { rt_cd: '1', msg_cd: 'EGW00123', msg1: '기간이 만료된 token 입니다.' });
    expect(() => readHolidayPage(body, '')).toThrow(
      expect.objectContaining({
        code: 'CONNECTION_REFUSED_BY_VENUE',
        retryable: true,
        context: { kis_code: 'EGW00123' },
        message: 'KIS refuses to name its holidays: EGW00123 기간이 만료된 token 입니다.',
      }),
    );
  });
});

describe('nothing secret is told', () => {
  const TOKEN = 'eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ0b2tlbiJ9';
  const told = (read: () => unknown): string => {
    try {
      read();
    } catch (error) {
      return JSON.stringify(error) + String(error);
    }
    return expect.unreachable('it is refused');
  };

  it.each([TOKEN, 'PSkeyAbCdEfGhIjKlMnOpQrStUvWxYz01234'])('by the words of a refusal: %s', (secret) => {
    const body = page([], { rt_cd: '1', msg_cd: secret, msg1: `유효하지 않은 token 입니다. ${secret}` });
    const text = told(() => readHolidayPage(body, ''));
    expect(text).toContain('유효하지 않은 token');
    expect(text).not.toContain(secret.slice(0, 20));
  });

  it('by an answer that is cut', () => {
    expect(told(() => readHolidayPage(`{"authorization":"Bearer ${TOKEN}`, ''))).not.toContain(TOKEN.slice(0, 10));
  });
});

describe('the pages of the holiday call', () => {
  const days = (from: string, count: number, opnd_yn: string) =>
    Array.from({ length: count }, (_, index) => {
      const date = Temporal.PlainDate.from(from).add({ days: index });
      return { bass_dt: date.toString().replaceAll('-', ''), opnd_yn };
    });
  const join = (...pages: readonly (readonly unknown[])[]) =>
    joinHolidayPages(pages.map((rows) => readHolidayPage(page(rows), 'D').days));

  it('are one list, by which a calendar goes on from then', () => {
    const calendar = new SessionCalendar();
    const noon = Temporal.ZonedDateTime.from('2026-12-25T12:00[Asia/Seoul]').epochNanoseconds;
    expect(calendar.isDataExpected('KRX', noon)).toBe(true);
    expect(calendar.businessDateOf(noon)).toBe('20261225');
    calendar.replaceDays(join([CHRISTMAS], days('2026-12-28', 3, 'Y')));
    expect(calendar.isDataExpected('KRX', noon)).toBe(false);
    expect(calendar.businessDateOf(noon)).toBe('20261224');
    expect(calendar.sessionsOn('KRX', parseBusinessDate('20261228'))).not.toEqual([]);
  });

  it('that name no day, or a market that never opens, are refused: nobody would listen', () => {
    expect(() => join([])).toThrow('names no day');
    const closed = days('2026-12-01', 21, 'N');
    expect(() => join(closed.slice(10), closed.slice(0, 10))).toThrow('no trading in the 21 days up to 20261221');
    expect(join(closed.slice(1)).size).toBe(20);
  });
});
