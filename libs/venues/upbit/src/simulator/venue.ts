import type { SimulatedVenue } from '@aipx/venue/simulation';
import { UpbitConnection, type UpbitTimings } from './connection.js';
import { UpbitMarket } from './market.js';
import { PAIRS } from './pairs.js';
import { isData, symbolsIn } from './recorded.js';
import { answerRest } from './rest.js';

const AS_SEEN_ON_THE_WIRE: UpbitTimings = {
  idleLimitMs: 60_000,
  statusEveryMs: 10_000,
  closeAfterErrorMs: 150,
  trailingMessages: 0,
};

/** Upbit as a simulated venue. Written from the venue's documentation and the wire, never from our driver. */
export function createUpbitSimulator(timings: Partial<UpbitTimings> = {}): SimulatedVenue {
  const all = { ...AS_SEEN_ON_THE_WIRE, ...timings };
  return {
    id: 'upbit',
    symbols: PAIRS.map(({ code }) => code),
    defaultSymbols: ['KRW-BTC', 'KRW-ETH', 'KRW-XRP', 'KRW-SOL', 'KRW-DOGE', 'BTC-ETH'],
    websocketPath: '/websocket/v1',
    apiPath: '/v1',
    idleLimitMs: all.idleLimitMs,
    accept: (client, listed) => new UpbitConnection(client, listed, all),
    rest: answerRest,
    market: (options) => new UpbitMarket(options),
    isData,
    symbolsIn,
  };
}

/** With the times of the wire. */
export const upbitSimulator: SimulatedVenue = createUpbitSimulator();
