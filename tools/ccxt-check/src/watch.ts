import ccxt from 'ccxt';
import type { BookRecord, Level, Records, TradeRecord } from './records.ts';

export interface WatchOptions {
  /** Without `/v1`, which ccxt adds. */
  readonly restUrl: string;
  readonly websocketUrl: string;
  /** Venue codes. */
  readonly codes: readonly string[];
}

export interface Watching {
  readonly records: Records;
  /** Rejects with what ccxt throws. */
  readonly failed: Promise<never>;
  /** How many markets ccxt has loaded from the simulator's REST call. */
  readonly markets: number;
  close(): Promise<void>;
}

/** Lets ccxt's own Upbit client watch trades and books. Nothing of ccxt is changed but where its URLs point. */
export async function watch({ restUrl, websocketUrl, codes }: WatchOptions): Promise<Watching> {
  const exchange = new ccxt.pro.upbit({ urls: { api: { public: restUrl, private: restUrl, ws: websocketUrl } } });
  // `watchTrades` then returns what is new since its last return, and keeps counting while nobody waits.
  exchange.newUpdates = true;
  // Its word for: the sockets are at ws://, not wss://.
  await exchange.loadHttpProxyAgent();
  const markets = Object.keys(await exchange.loadMarkets()).length;

  const trades: TradeRecord[] = [];
  const books: BookRecord[] = [];
  let closing = false;
  const forever = async (step: () => Promise<void>): Promise<void> => {
    while (!closing) {
      try {
        await step();
      } catch (cause) {
        if (!closing) throw cause;
      }
    }
  };
  const loops = codes.flatMap((code) => {
    const symbol = exchange.safeSymbol(code, undefined, '-');
    return [
      forever(async () => {
        for (const trade of await exchange.watchTrades(symbol)) trades.push(tradeOf(code, trade));
      }),
      forever(async () => {
        // The book is ccxt's live one: it has to be copied before anything else runs.
        books.push(bookOf(code, await exchange.watchOrderBook(symbol)));
      }),
    ];
  });
  const failed = Promise.all(loops).then(() => new Promise<never>(() => undefined));
  return {
    records: { trades, books },
    failed,
    markets,
    close: async () => {
      closing = true;
      await exchange.close();
    },
  };
}

interface CcxtTrade {
  readonly id?: string | undefined;
  readonly price?: number | undefined;
  readonly amount?: number | undefined;
  readonly side?: string | undefined;
  readonly timestamp?: number | undefined;
}

function tradeOf(symbol: string, trade: CcxtTrade): TradeRecord {
  return {
    symbol,
    id: trade.id ?? '',
    price: trade.price ?? Number.NaN,
    amount: trade.amount ?? Number.NaN,
    side: trade.side === 'buy' ? 'buy' : 'sell',
    timestamp: trade.timestamp ?? 0,
  };
}

interface CcxtBook {
  readonly timestamp?: number | undefined;
  readonly bids: readonly (readonly (number | undefined)[])[];
  readonly asks: readonly (readonly (number | undefined)[])[];
}

function bookOf(symbol: string, book: CcxtBook): BookRecord {
  const levels = (side: CcxtBook['bids']): Level[] =>
    side.map(([price, amount]) => [price ?? Number.NaN, amount ?? Number.NaN]);
  return { symbol, timestamp: book.timestamp ?? 0, bids: levels(book.bids), asks: levels(book.asks) };
}
