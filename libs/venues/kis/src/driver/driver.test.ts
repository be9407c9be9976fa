import { conformanceRules, describeVenueConformance, type VenueSamples } from '@aipx/venue/conformance';
import { describe, expect, it } from 'vitest';
import { BOOK, bookFrame, bytes, frameOf, TRADE, tradeFrame, widened, withFields } from '../../test/reading.js';
import { SessionCalendar } from '../calendar/calendar.js';
import { parseTradingDays } from '../calendar/trading-days.js';
import { BOOK as BOOK_AT } from '../layout/order-book.js';
import { TRADE as AT } from '../layout/trade.js';
import { kis } from '../venue.js';
import { kisDriver } from './driver.js';

const HYNIX = withFields(TRADE, { [AT.MKSC_SHRN_ISCD]: '000660' });

const SAMPLES: VenueSamples = {
  subscriptions: [
    { symbol: '005930', channel: 'tick' },
    { symbol: '000660', channel: 'tick' },
    { symbol: '066570', channel: 'orderbook' },
    { symbol: '005930', channel: 'orderbook' },
  ],
  data: [
    tradeFrame(),
    frameOf('H0STCNT0', [widened(HYNIX, 47)]),
    bookFrame(),
    frameOf('H0STASP0', [widened(withFields(BOOK, { [BOOK_AT.MKSC_SHRN_ISCD]: '005930' }), 63)]),
  ].map(bytes),
  control: [
    '{"header":{"tr_id":"PINGPONG","datetime":"20230502221924"}}',
    frameOf('H0STMKO0', [['005930', 'Y', '(null)', '', '', '', '', '58', 'N', 'N']]),
    '{"header":{"tr_id":"H0STCNT0","tr_key":"005930","encrypt":"N"},"body":{"rt_cd":"0","msg_cd":"OPSP0000","msg1":"SUBSCRIBE SUCCESS","output":{"iv":"ca513e8bf725c575","key":"uvbpznjqabrxhowcftgehxghhhsxtwro"}}}',
  ].map(bytes),
  refusals: [
    bytes(
      '{"header":{"tr_id":"(null)","tr_key":"","encrypt":"N"},"body":{"rt_cd":"9","msg_cd":"OPSP8996","msg1":"ALREADY IN USE appkey"}}',
    ),
  ],
  symbols: [
    ['005930', '005930'],
    ['0193t0', '0193T0'],
    ['q500001', 'Q500001'],
  ],
};

describeVenueConformance(kis, SAMPLES);

describe('the KIS driver for the sessions only', () => {
  it('keeps the contract on its hours', async () => {
    const rule = conformanceRules.find(({ title }) => title.startsWith('is connected while data is expected'));
    for (const segment of ['KRX', 'NXT', 'UN'] as const) {
      await rule?.check({ ...kis, driver: kisDriver({ segment, sessionsOnly: true }) }, SAMPLES);
    }
    expect(rule).toBeDefined();
  });
});

describe('the KIS driver', () => {
  const { defaults } = kisDriver();

  it('comes back slowly: hammering has locked a key for hours', () => {
    expect(defaults.reconnect).toMatchObject({ floorMs: 20_000, capMs: 300_000, retries: 0 });
  });

  it('sends no pings of its own, and takes three missing PINGPONG for the end', () => {
    expect(defaults.keepAlive).toBeUndefined();
    expect(defaults.silenceTimeoutMs).toBe(30_000);
  });

  it('registers at most ten streams a second', () => {
    expect(defaults.openingEveryMs).toBe(100);
  });

  it('is always connected unless it is told to keep to the sessions', () => {
    expect(kisDriver().isConnectionWanted).toBeUndefined();
  });

  it.each([
    ['KRX', '2026-09-14T08:19:59', false],
    ['KRX', '2026-09-14T08:20', true],
    ['KRX', '2026-09-14T15:35', true],
    ['KRX', '2026-09-14T20:04:59', true],
    ['KRX', '2026-09-14T20:05', false],
    ['NXT', '2026-09-14T07:50', true],
    ['NXT', '2026-09-14T08:55', true],
    ['UN', '2026-09-14T07:50', true],
    ['KRX', '2026-09-13T12:00', false],
    ['KRX', '2026-09-15T12:00', false],
    ['KRX', '2026-11-19T08:45', false],
  ] as const)('keeps to the sessions of %s: connected at %s: %s', (segment, time, expected) => {
    const calendar = new SessionCalendar(
      parseTradingDays(
        '{"days":[{"date":"2026-09-15","open":false},{"date":"2026-11-19","open":true,"opening":"10:00"}]}',
      ),
    );
    const at = Temporal.PlainDateTime.from(time).toZonedDateTime('Asia/Seoul').epochNanoseconds;
    const driver = kisDriver({ segment, calendar, sessionsOnly: true });
    expect(driver.isConnectionWanted?.(at)).toBe(expected);
  });

  it('expects no data on a quiet Sunday, and data on a Tuesday at ten', () => {
    const at = (day: number, hour: number) => BigInt(Date.UTC(2026, 8, day, hour - 9)) * 1_000_000n;
    const { isDataExpected } = kisDriver();
    expect([isDataExpected?.(at(13, 10)), isDataExpected?.(at(15, 10)), isDataExpected?.(at(15, 23))]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
