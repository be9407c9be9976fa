import { MarketDataError, parseDecimal } from '@aipx/market-model';
import type { FrameRecord, VenueDriver } from '@aipx/venue';

/**
 * A venue with the simplest protocol there could be: a frame is a line of words. `tick KRW-A 1 id` is a trade, `bad KRW-A`
 * a record that breaks the rules, `other` data nobody subscribed, `status` protocol talk, `refuse` a refusal; several
 * records are separated by `;`, anything else cannot be read. `again KRW-A` is a trade that came before, `missed KRW-A 7` says
 * that trades of 7 in all are missing, `stands KRW-A` and `denied KRW-A` answer a subscription, `later 20` wants an answer then,
 * `halts KRW-A` and `trades KRW-A` tell of trading, `odd words` is a notice. `bad KRW-A - own` is kept as `own` in place of its frame,
 * and `bad KRW-A 3` stands for three records.
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
      if (word === 'later') return { kind: 'control', reply: 'late answer', replyAfterMs: Number(argument) };
      if (word === 'stands') return { kind: 'control', news: { subscription: { symbol: argument, channel: 'tick' } } };
      if (word === 'halts' || word === 'trades') {
        return { kind: 'control', trading: [{ symbol: argument, isHalted: word === 'halts', detail: word }] };
      }
      if (word === 'odd') return { kind: 'control', notices: [argument] };
      if (word === 'denied') {
        const error = new MarketDataError('CONNECTION_REFUSED_BY_VENUE', `no ${argument} for you`);
        return { kind: 'control', news: { subscription: { symbol: argument, channel: 'tick' }, error } };
      }
      if (text === 'refuse') {
        return { kind: 'refusal', error: new MarketDataError('CONNECTION_REFUSED_BY_VENUE', 'not you') };
      }
      return { kind: 'data', records: text.split(';').map((part) => recordOf(part, receivedAt)) };
    },
  }),
};

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
