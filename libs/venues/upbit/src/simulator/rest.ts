import type { RestAnswer, RestRequest } from '@aipx/venue/simulation';
import { PAIR_BY_CODE, type Pair } from './pairs.js';
import { tickText } from './prices.js';

/** The two calls the platform needs: the list of pairs, and their price grid. */
export function answerRest({ path, query, listed }: RestRequest): RestAnswer {
  switch (path) {
    case '/v1/market/all':
      return ok('market', marketAll(listed, query.get('is_details') === 'true'));
    case '/v1/orderbook/instruments':
      return instruments(query.get('markets'), listed);
    default:
      return failure(404, 'no Route matched with those values');
  }
}

function marketAll(listed: ReadonlySet<string>, details: boolean): unknown {
  return [...listed].map((market) => ({
    market,
    korean_name: PAIR_BY_CODE.get(market)?.koreanName ?? market,
    english_name: PAIR_BY_CODE.get(market)?.englishName ?? market,
    ...(details && {
      market_event: {
        warning: false,
        caution: {
          PRICE_FLUCTUATIONS: false,
          TRADING_VOLUME_SOARING: false,
          DEPOSIT_AMOUNT_SOARING: false,
          GLOBAL_PRICE_DIFFERENCES: false,
          CONCENTRATION_OF_SMALL_ACCOUNTS: false,
        },
      },
    }),
  }));
}

function instruments(markets: string | null, listed: ReadonlySet<string>): RestAnswer {
  if (markets === null || markets === '') {
    return failure(400, 'Missing request parameter error. Check the required parameters!');
  }
  // As seen on the wire: REST takes lower-case codes, the socket does not.
  const pairs = markets.split(',').map((code) => (listed.has(code.toUpperCase()) ? code.toUpperCase() : undefined));
  if (pairs.includes(undefined)) return failure(404, 'Code not found');
  return ok(
    'orderbook',
    pairs.flatMap((code) => instrument(PAIR_BY_CODE.get(code ?? ''))),
  );
}

function instrument(pair: Pair | undefined): readonly unknown[] {
  if (pair === undefined) return [];
  return [{ market: pair.code, quote_currency: pair.quote, tick_size: tickText(pair), supported_levels: ['0'] }];
}

function ok(group: string, body: unknown): RestAnswer {
  return {
    status: 200,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json;charset=utf-8', 'remaining-req': `group=${group}; min=600; sec=9` },
  };
}

/** Documented: quotation errors name the HTTP status as a number. */
function failure(status: number, message: string): RestAnswer {
  return {
    status,
    body: JSON.stringify({ error: { name: status, message } }),
    headers: { 'content-type': 'application/json;charset=utf-8' },
  };
}
