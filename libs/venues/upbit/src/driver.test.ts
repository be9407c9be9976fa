import { describeVenueConformance } from '@aipx/venue/conformance';
import { describe, expect, it } from 'vitest';
import { bookFrame, bytes, FORMATS, listFrame, SUBSCRIPTIONS, tradeFrame } from '../test/driver-frames.js';
import { upbitDriver } from './driver.js';
import { upbit } from './venue.js';

describeVenueConformance(upbit, {
  subscriptions: SUBSCRIPTIONS,
  data: FORMATS.flatMap((format) => [
    tradeFrame({}, format),
    bookFrame(undefined, {}, format),
    tradeFrame({ code: '"BTC-ETH"', trade_price: '6E-8', change: '"FALL"' }, format),
    bookFrame([['9.9E-7', '1', '0', '0']], { code: '"BTC-ETH"' }, format),
  ]).concat(listFrame(tradeFrame(), bookFrame(undefined, { code: '"BTC-ETH"' }))),
  control: [bytes('{"status":"UP"}')],
  refusals: [bytes('{"error":{"name":"NO_TICKET","message":"티켓이 존재하지 않습니다."}}')],
  symbols: [
    ['krw-btc', 'KRW-BTC'],
    ['BTC-ETH', 'BTC-ETH'],
    ['usdt-xrp', 'USDT-XRP'],
  ],
});

describe('the upbit driver', () => {
  const { defaults } = upbitDriver;

  it('never gives up: 1 s to 30 s between attempts, with jitter, without an end', () => {
    expect(defaults.reconnect).toEqual({ floorMs: 1_000, capMs: 30_000, factor: 2, jitter: 0.2, retries: 0 });
  });

  it('begins at most the five connections a second that one address is allowed', () => {
    expect(defaults.connectLimit).toEqual({ attempts: 5, perMs: 1_000 });
  });

  it('sends the text PING every 25 s, for the wire closes after 60 s and not after the documented 120 s', () => {
    expect(defaults.keepAlive).toMatchObject({ everyMs: 25_000, text: 'PING', idleLimitMs: 60_000 });
  });

  it('waits longer for an answer to PING than the 10 s between two statuses, and less than for silence', () => {
    expect(defaults.keepAlive?.pongTimeoutMs).toBe(15_000);
  });

  it('takes a minute without a record for a fault of a stream that never pauses so long', () => {
    expect(defaults.staleAfterMs).toBe(60_000);
  });

  it('takes 30 s of silence for the end, and 5 s without a first record for an unknown code', () => {
    expect([defaults.silenceTimeoutMs, defaults.firstRecordWithinMs]).toEqual([30_000, 5_000]);
  });

  it('asks for 15 levels of the depths that the venue honours', () => {
    expect([defaults.bookDepth, defaults.bookDepths]).toEqual([15, [1, 5, 15, 30]]);
  });

  it('lists its symbols below the API URL', () => {
    expect(`${defaults.apiUrl}${upbitDriver.symbolList?.path}`).toBe('https://api.upbit.com/v1/market/all');
    expect(upbitDriver.symbolList?.read('[{"market":"KRW-BTC"}]')).toEqual(['KRW-BTC']);
  });
});
