import { MarketDataError } from '@aipx/market-model';
import { shown } from './message.js';

/**
 * Currencies that others are quoted in, the more senior the higher: KRW outranks USDT outranks BTC. SGD, IDR and THB
 * take KRW's place in the regions that share the API. Everything else only ever is a base.
 */
const SENIORITY = new Map([
  ['KRW', 3],
  ['SGD', 3],
  ['IDR', 3],
  ['THB', 3],
  ['USDT', 2],
  ['BTC', 1],
]);

/**
 * An Upbit code, `QUOTE-BASE` in upper case. Upbit answers a code that it does not know with silence, lower case
 * included (as seen on the wire), so whatever can be found out beforehand is.
 *
 * @throws {MarketDataError} `CONFIG_SYMBOL` when it has another form, or names base and quote the wrong way round
 */
export function parseSymbol(raw: string): string {
  const [, quote, base] = /^([A-Z0-9]+)-([A-Z0-9]+)$/.exec(upperCase(raw)) ?? [];
  if (quote === undefined || base === undefined) {
    throw new MarketDataError('CONFIG_SYMBOL', `${shown(raw)} is not an Upbit code: expected QUOTE-BASE, e.g. KRW-BTC`);
  }
  if (seniority(base) > seniority(quote)) {
    throw new MarketDataError(
      'CONFIG_SYMBOL',
      `${shown(raw)} names the base first, Upbit the quote: did you mean ${base}-${quote}?`,
    );
  }
  return `${quote}-${base}`;
}

/** ASCII only: `toUpperCase` makes two letters of a German sharp s, and a code of what is none. */
function upperCase(raw: string): string {
  return raw.replace(/[a-z]/g, (letter) => letter.toUpperCase());
}

function seniority(currency: string): number {
  return SENIORITY.get(currency) ?? 0;
}

/**
 * The codes in the answer of `GET /v1/market/all` (documented): `[{"market":"KRW-BTC","korean_name":"비트코인",…},…]`.
 *
 * @throws {MarketDataError} `VALIDATION_SYMBOL` when it is no such list
 */
export function readMarketList(body: string): readonly string[] {
  let markets: unknown;
  try {
    markets = JSON.parse(body);
  } catch (cause) {
    throw notMarkets(shown(body), cause);
  }
  if (!Array.isArray(markets)) throw notMarkets(shown(body));
  return (markets as readonly ({ readonly market?: unknown } | null)[]).map((entry) => {
    const code = entry?.market;
    if (typeof code !== 'string') throw notMarkets(`an entry whose market is ${shown(code)}`);
    return code;
  });
}

function notMarkets(found: string, cause?: unknown): MarketDataError {
  const message = `Upbit's market list: expected [{"market":"KRW-BTC"}, …], got ${found}`;
  return new MarketDataError('VALIDATION_SYMBOL', message, { cause });
}
