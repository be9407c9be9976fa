import { describeVenueConformance } from '@aipx/venue/conformance';
import { describe, expect, it } from 'vitest';
import { BOOK, bookFrame, bytes, frameOf, TRADE, tradeFrame, widened, withFields } from '../../test/reading.js';
import { BOOK as BOOK_AT } from '../layout/order-book.js';
import { TRADE as AT } from '../layout/trade.js';
import { kis } from '../venue.js';
import { kisDriver } from './driver.js';

const HYNIX = withFields(TRADE, { [AT.MKSC_SHRN_ISCD]: '000660' });

describeVenueConformance(kis, {
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
