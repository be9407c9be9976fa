import type { VenueDriver } from '@aipx/venue';
import { EXCHANGE } from './message.js';
import { BOOK_DEPTHS, PING } from './request.js';
import { UpbitSession } from './session.js';
import { parseSymbol, readMarketList } from './symbols.js';

/** Upbit (Korea), public market data: trades and order books of every KRW, BTC and USDT market on one connection. */
export const upbitDriver: VenueDriver = {
  id: EXCHANGE,
  defaults: {
    websocketUrl: 'wss://api.upbit.com/websocket/v1',
    apiUrl: 'https://api.upbit.com/v1',
    reconnect: { floorMs: 1_000, capMs: 30_000, factor: 2, jitter: 0.2, retries: 0 },
    // Documented, for one address without a key.
    connectLimit: { attempts: 5, perMs: 1_000 },
    // Documented as 120 s of silence, but the wire closes after 60.5 s, with 1006 and no close frame. PING is answered by a
    // status every 10 s (as seen on the wire), so the answer may be that late.
    keepAlive: { everyMs: 25_000, text: PING, idleLimitMs: 60_000, pongTimeoutMs: 15_000 },
    // A status arrives every 10 s once PING has been sent: three missing ones are a dead connection.
    silenceTimeoutMs: 30_000,
    // The last snapshots came 354 ms after a request for 855 codes (as seen on the wire).
    firstRecordWithinMs: 5_000,
    // Trading never rests. Quiet books say nothing for minutes (as seen on the wire), but then they do so all the time.
    staleAfterMs: 60_000,
    bookDepths: BOOK_DEPTHS,
    bookDepth: 15,
  },
  parseSymbol,
  symbolList: { path: '/market/all', read: readMarketList },
  openSession: (options) => new UpbitSession(options),
};
