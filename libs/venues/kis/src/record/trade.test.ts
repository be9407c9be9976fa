import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TRADE_2023, TRADE_2026, TRADES_2025 } from '../../test/captured.js';
import {
  bytes,
  frameOf,
  openReader,
  RECEIVED_AT,
  recordsOf,
  rejectionError,
  tickOf,
  TRADE,
  tradeFrame,
  withFields,
} from '../../test/reading.js';
import { TRADE as AT } from '../layout/trade.js';

const SHARED = {
  kind: 'tick',
  exchange: 'kis',
  symbol: '005930',
  receivedTimestamp: RECEIVED_AT,
  streamType: 'REALTIME',
};

describe('KIS trades', () => {
  it('read the record that the portal prints', () => {
    expect(tickOf(`0|H0STCNT0|001|${TRADE_2023}`)).toEqual({
      ...SHARED,
      price: '71900',
      volume: '1',
      timestamp: BigInt(Date.UTC(2023, 5, 12, 0, 33, 54)) * 1_000_000n,
      change: '-100',
      changeRate: '-0.0014',
      side: 'BUY',
      tradeId: 'KRX-20230612-3052507',
    });
  });

  it('read three trades of one second in the order of their frame', () => {
    const second = BigInt(Date.UTC(2025, 6, 30, 0, 47, 51)) * 1_000_000n;
    const trade = (price: string, volume: string, change: string, changeRate: string, side: string, id: string) => ({
      outcome: 'event',
      event: { ...SHARED, price, volume, timestamp: second, change, changeRate, side, tradeId: `KRX-20250730-${id}` },
    });
    expect(recordsOf(TRADES_2025)).toEqual([
      trade('71950', '1', '1350', '0.0191', 'SELL', '8305216'),
      trade('71900', '2', '1300', '0.0184', 'SELL', '8305218'),
      trade('72000', '75', '1400', '0.0198', 'BUY', '8305293'),
    ]);
  });

  it('read a fall of 11.46 %, alike with the field of September 2026 behind it', () => {
    const tick = {
      ...SHARED,
      price: '313000',
      volume: '825',
      timestamp: BigInt(Date.UTC(2026, 5, 23, 6, 14, 25)) * 1_000_000n,
      change: '-40500',
      changeRate: '-0.1146',
      side: 'SELL',
      tradeId: 'KRX-20260623-34502265',
    };
    expect(tickOf(`0|H0STCNT0|001|${TRADE_2026}`)).toEqual(tick);
    expect(tickOf(`0|H0STCNT0|001|${TRADE_2026}^2`)).toEqual(tick);
  });

  it.each([
    ['H0STCNT0', 'KRX-20260623-34502265'],
    ['H0UNCNT0', 'UN-20260623-34502265'],
    ['H0NXCNT0', 'NXT-20260623-34502265'],
  ])('of %s have the id %s', (trId, tradeId) => {
    expect(tickOf(frameOf(trId, [TRADE])).tradeId).toBe(tradeId);
  });

  it('keep digits that no double holds', () => {
    const volume = '90071992547409931';
    expect(tickOf(tradeFrame({ [AT.ACML_VOL]: volume })).tradeId).toBe(`KRX-20260623-${volume}`);
    expect(tickOf(tradeFrame({ [AT.STCK_PRPR]: '313000.10' })).price).toBe('313000.1');
  });

  it.each([
    ['1', '40500', '11.46', '40500', '0.1146'],
    ['2', '40500', '11.46', '40500', '0.1146'],
    ['3', '0', '0.00', '0', '0'],
    ['0', '0', '0.00', '0', '0'],
    ['4', '-40500', '-11.46', '-40500', '-0.1146'],
    ['5', '-40500', '-11.46', '-40500', '-0.1146'],
    // Unsigned, as KIS prints elsewhere: the code decides.
    ['4', '40500', '11.46', '-40500', '-0.1146'],
    ['5', '40500', '11.46', '-40500', '-0.1146'],
    ['2', '0', '0.00', '0', '0'],
    ['2', '213000', '213.00', '213000', '2.13'],
    ['2', '1', '1234.5', '1', '12.345'],
    ['5', '-10', '-0.01', '-10', '-0.0001'],
  ])('of sign code %s with %s and %s %% changed by %s and %s', (code, raw, percent, change, changeRate) => {
    const frame = tradeFrame({ [AT.PRDY_VRSS_SIGN]: code, [AT.PRDY_VRSS]: raw, [AT.PRDY_CTRT]: percent });
    expect(tickOf(frame)).toMatchObject({ change, changeRate });
  });

  it.each([
    ['1', '-100', '1.00'],
    ['2', '-100', '1.00'],
    ['2', '100', '-1.00'],
    ['3', '100', '0'],
  ])('of sign code %s with %s and %s %%, which contradicts itself, are kept without a change', (code, change, rate) => {
    const frame = tradeFrame({ [AT.PRDY_VRSS_SIGN]: code, [AT.PRDY_VRSS]: change, [AT.PRDY_CTRT]: rate });
    const expected = { price: '313000', volume: '825', change: undefined, changeRate: undefined };
    expect(recordsOf(frame)).toEqual([
      {
        outcome: 'event',
        event: expect.objectContaining(expected) as unknown,
        notice: 'changes of 005930 contradict their sign code: change and rate are left out, the trades are kept',
      },
    ]);
  });

  it.each(['7', 'constructor'])('of sign code %s are refused: the fields are not where they should be', (code) => {
    expect(rejectionError(tradeFrame({ [AT.PRDY_VRSS_SIGN]: code }))).toMatchObject({
      code: 'VALIDATION_FRAME',
      message: `H0STCNT0 record 1, 005930: PRDY_VRSS_SIGN is ${JSON.stringify(code)}; expected 1 to 5`,
    });
  });

  it('of a day that has not come are refused, but for the next one: our clock may be behind', () => {
    const received = BigInt(Date.UTC(2026, 5, 22, 14, 59, 59)) * 1_000_000n;
    const outcome = (date: string) => {
      const { records } = openReader().read(bytes(tradeFrame({ [AT.BSOP_DATE]: date })), received);
      return records.map((record) => (record.outcome === 'rejected' ? record.error.message : record.outcome));
    };
    expect(outcome('20260623')).toEqual(['event']);
    expect(outcome('20260624')).toEqual([
      'H0STCNT0 record 1, 005930: BSOP_DATE is "20260624"; expected at most the day after its receipt at 2026-06-22T14:59:59Z',
    ]);
  });

  it.each(['', '(null)'])('leave absent what is %j', (missing) => {
    const blank = { [AT.PRDY_VRSS_SIGN]: missing, [AT.CCLD_DVSN]: missing };
    expect(tickOf(tradeFrame(blank))).toMatchObject({ change: undefined, changeRate: undefined, side: undefined });
    expect(tickOf(tradeFrame({ [AT.PRDY_VRSS]: missing, [AT.PRDY_CTRT]: missing }))).toMatchObject({
      change: undefined,
      changeRate: undefined,
      side: 'SELL',
    });
  });

  it.each([
    ['1', 'BUY'],
    ['5', 'SELL'],
    ['3', undefined],
    ['0', undefined],
  ])('of class %s have the side %s', (code, side) => {
    expect(tickOf(tradeFrame({ [AT.CCLD_DVSN]: code })).side).toBe(side);
  });

  it.each([
    ['CCLD_DVSN', AT.CCLD_DVSN, '0.39', 'VALIDATION_FRAME', 'CCLD_DVSN is "0.39"; expected one digit'],
    ['STCK_PRPR', AT.STCK_PRPR, '', 'VALIDATION_DECIMAL', 'STCK_PRPR: not a decimal: ""'],
    ['STCK_PRPR', AT.STCK_PRPR, '0', 'VALIDATION_TICK', 'price 0 is not above 0'],
    ['CNTG_VOL', AT.CNTG_VOL, '0', 'VALIDATION_TICK', 'volume 0 is not above 0'],
    ['CNTG_VOL', AT.CNTG_VOL, '(null)', 'VALIDATION_DECIMAL', 'CNTG_VOL: not a decimal: "(null)"'],
    ['CNTG_VOL', AT.CNTG_VOL, '-5', 'VALIDATION_FRAME', 'CNTG_VOL is "-5"; expected a whole number of shares'],
    ['CNTG_VOL', AT.CNTG_VOL, '1.5', 'VALIDATION_FRAME', 'CNTG_VOL is "1.5"; expected a whole number of shares'],
    [
      'ACML_VOL',
      AT.ACML_VOL,
      '9'.repeat(19),
      'VALIDATION_RECORD',
      'cumulative volume of 19 digits; expected 18 at most',
    ],
    ['ACML_VOL', AT.ACML_VOL, '824', 'VALIDATION_FRAME', 'ACML_VOL is "824"; expected at least the 825'],
    [
      'BSOP_DATE',
      AT.BSOP_DATE,
      '20260231',
      'VALIDATION_TIME',
      'not a time: "20260231"; expected a day of the calendar',
    ],
    ['BSOP_DATE', AT.BSOP_DATE, '20', 'VALIDATION_TIME', 'not a time: "20"; expected a day from 2000 to 2099'],
    ['STCK_CNTG_HOUR', AT.STCK_CNTG_HOUR, '240000', 'VALIDATION_TIME', 'expected HHMMSS from 000000 to 235959'],
    ['STCK_CNTG_HOUR', AT.STCK_CNTG_HOUR, '93354', 'VALIDATION_TIME', 'expected HHMMSS from 000000 to 235959'],
  ])('with %s wrong are refused: field %i is %j', (_name, index, value, code, message) => {
    const error = rejectionError(tradeFrame({ [index]: value }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it.each([
    ['000000', '2026-06-22T15:00:00Z'],
    ['000003', '2026-06-22T15:00:03Z'],
    ['085959', '2026-06-22T23:59:59Z'],
    ['090000', '2026-06-23T00:00:00Z'],
    ['235959', '2026-06-23T14:59:59Z'],
  ])('at %s Korea time are of %s in every time zone', (time, instant) => {
    const zone = process.env['TZ'];
    try {
      for (const name of ['Asia/Seoul', 'UTC', 'America/New_York', 'Pacific/Kiritimati']) {
        process.env['TZ'] = name;
        const { timestamp } = tickOf(tradeFrame({ [AT.STCK_CNTG_HOUR]: time }));
        expect(Temporal.Instant.fromEpochNanoseconds(timestamp).toString()).toBe(instant);
      }
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  it('have the ratio of any percentage, digit for digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 ** 9 }), fc.integer({ min: 0, max: 99 }), (whole, cents) => {
        const percent = `${whole}.${String(cents).padStart(2, '0')}`;
        const frame = tradeFrame({ [AT.PRDY_VRSS_SIGN]: '2', [AT.PRDY_VRSS]: '1', [AT.PRDY_CTRT]: percent });
        const ratio = tickOf(frame).changeRate ?? '';
        const [units = '', fraction = ''] = ratio.split('.');
        expect(BigInt(units + fraction.padEnd(4, '0'))).toBe(BigInt(whole) * 100n + BigInt(cents));
      }),
    );
  });

  it('are refused when a field before the business date is lost or doubled', () => {
    for (let index = 1; index < AT.BSOP_DATE; index += 1) {
      const lost = withFields(TRADE, {}).toSpliced(index, 1);
      const doubled = withFields(TRADE, {}).toSpliced(index, 0, TRADE[index] as string);
      // 47 fields are as good as 46: only the content tells.
      for (const fields of [[...lost, '2'], [...lost, '2', '2'], doubled]) {
        expect(recordsOf(frameOf('H0STCNT0', [fields]))).toMatchObject([{ outcome: 'rejected', symbol: '005930' }]);
      }
    }
  });
});
