import { MarketDataError, parseDecimal } from '@aipx/market-model';
import type { FrameRecord, Registration, RegistrationNews, VenueDriver } from '@aipx/venue';

/**
 * A venue with the simplest protocol there could be: a frame is a line of words. `tick KRW-A 1 id` is a trade, `bad KRW-A`
 * a record that breaks the rules, `other` data nobody subscribed, `status` protocol talk, `refuse` a refusal; several
 * records are separated by `;`, anything else cannot be read. `again KRW-A` is a trade that came before, `missed KRW-A 7` says
 * that trades of 7 in all are missing, `stands KRW-A`, `denied KRW-A` (for good), `busy KRW-A` (for now), `ended KRW-A` and
 * `full KRW-A` answer a subscription, `halts KRW-A` and `trades KRW-A` tell of trading, `odd words` is a notice.
 * `bad KRW-A - own` is kept as `own` in place of its frame, and `bad KRW-A 3` stands for three records.
 */
export const plainDriver: VenueDriver = {
  id: 'plain',
  defaults: {
    websocketUrl: 'ws://127.0.0.1/',
    apiUrl: 'http://127.0.0.1/',
    reconnect: { floorMs: 10, capMs: 20, factor: 2, jitter: 0, retries: 0 },
    connectLimit: { attempts: 100, perMs: 1_000 },
    keepAlive: { everyMs: 1_000, idleLimitMs: 10_000 },
    silenceTimeoutMs: 10_000,
    firstRecordWithinMs: 5_000,
    staleAfterMs: 60_000,
    bookDepths: [1],
    bookDepth: 1,
  },
  parseSymbol: (raw) => raw,
  openSession: ({ subscriptions, connectionId, secret }) => ({
    opening: [
      ...(secret === undefined ? [] : [`I am ${secret}`]),
      `subscribe ${connectionId} ${subscriptions.map(({ symbol }) => symbol).join(',')}`,
    ],
    read: (frame, receivedAt) => {
      const text = Buffer.from(frame).toString();
      if (text === 'status') return { kind: 'control' };
      if (text === 'ask') return { kind: 'control', reply: 'answer' };
      const [word, argument = ''] = text.split(' ');
      if (word === 'halts' || word === 'trades') {
        return { kind: 'control', trading: [{ symbol: argument, isHalted: word === 'halts', detail: word }] };
      }
      if (word === 'odd') return { kind: 'control', notices: [argument] };
      const news = newsOf(word, argument);
      if (news !== undefined) return { kind: 'control', news };
      if (text === 'refuse') {
        return { kind: 'refusal', error: new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'not you') };
      }
      return { kind: 'data', records: text.split(';').map((part) => recordOf(part, receivedAt)) };
    },
  }),
};

/** The same venue, where it answers for each stream: `want KRW-A` asks for it, `leave KRW-A` gives it back. */
export const registeringDriver: VenueDriver = {
  ...plainDriver,
  defaults: {
    ...plainDriver.defaults,
    openingEveryMs: 100,
    registration: {
      answerWithinMs: 3_000,
      retry: { floorMs: 5_000, capMs: 20_000, factor: 2, jitter: 0, retries: 3 },
    },
  },
  answersSubscriptions: true,
  openSession: (options) => {
    const registrations = options.subscriptions.map(({ symbol }) => registrationOf(symbol));
    const opening = registrations.map(({ request }) => request);
    return { ...plainDriver.openSession(options), opening, registrations };
  },
};

const NEGATIVES: Readonly<Record<string, 'refused' | 'ended' | 'full'>> = {
  denied: 'refused',
  busy: 'refused',
  ended: 'ended',
  full: 'full',
};

function newsOf(word = '', symbol: string): RegistrationNews | undefined {
  const registration = registrationOf(symbol);
  if (word === 'stands') return { registration, answer: 'stands' };
  const answer = NEGATIVES[word];
  if (answer === undefined) return undefined;
  const retryable = word === 'busy' || word === 'ended';
  const error = new MarketDataError('CONNECTION_REFUSED_BY_VENUE', `no ${symbol} for you`, { retryable });
  return { registration, answer, error };
}

function registrationOf(symbol: string): Registration {
  const subscription = { symbol, channel: 'tick' } as const;
  return { name: symbol, subscription, request: `want ${symbol}`, release: `leave ${symbol}` };
}

function recordOf(text: string, receivedTimestamp: bigint): FrameRecord {
  const [word, symbol = '', price = '', tradeId = ''] = text.split(' ');
  if (word === 'other') return { outcome: 'ignored', symbol: 'KRW-OTHER' };
  if (word === 'again') return { outcome: 'repeated', symbol };
  if (word === 'missed') {
    const missedVolume = parseDecimal(price);
    return { outcome: 'gap', symbol, channel: 'tick', missed: 0n, missedVolume, detail: 'volumes do not add up' };
  }
  if (word === 'bad') {
    const error = new MarketDataError('VALIDATION_TICK', 'price 0');
    const missed = /^\d+$/.test(price) && { missed: BigInt(price) };
    return {
      outcome: 'rejected',
      symbol,
      channel: 'tick',
      error,
      ...missed,
      ...(tradeId && { bytes: Buffer.from(tradeId) }),
    };
  }
  if (word !== 'tick') {
    const error = new MarketDataError('VALIDATION_FRAME', 'not a frame');
    return { outcome: 'rejected', symbol: '', channel: undefined, error };
  }
  return {
    outcome: 'event',
    event: {
      kind: 'tick',
      exchange: 'plain',
      symbol,
      price: parseDecimal(price),
      volume: parseDecimal('1'),
      timestamp: 1n,
      change: undefined,
      changeRate: undefined,
      side: 'BUY',
      tradeId,
      receivedTimestamp,
      streamType: 'REALTIME',
    },
  };
}
