import type { Subscription } from '@aipx/venue';
import { describe, expect, it } from 'vitest';
import { openSession, SUBSCRIPTIONS } from '../test/driver-frames.js';
import { parseSymbol } from './symbols.js';

const ticket = '3f0c8f5e-6a8f-4a0e-9d5f-1f0f3f2b7c11';
const requestOf = (subscriptions: readonly Subscription[], bookDepth?: number) =>
  JSON.parse(openSession(subscriptions, bookDepth).opening[0] ?? '') as unknown;

describe('the opening of an upbit connection', () => {
  it('is one request with everything, because a later one would replace it', () => {
    expect(requestOf(SUBSCRIPTIONS)).toEqual([
      { ticket },
      { type: 'trade', codes: ['KRW-BTC', 'BTC-ETH'] },
      { type: 'orderbook', codes: ['KRW-BTC.15', 'BTC-ETH.15'] },
      { format: 'SIMPLE' },
    ]);
    expect(openSession().opening.filter((text) => text.startsWith('['))).toHaveLength(1);
  });

  it('goes on with a PING, so that even a quiet subscription hears a status every 10 s from the start', () => {
    expect(openSession().opening.slice(1)).toEqual(['PING']);
  });

  it('names no channel that nobody asked for: an empty list of codes is an error', () => {
    expect(requestOf([{ symbol: 'KRW-BTC', channel: 'tick' }])).toEqual([
      { ticket },
      { type: 'trade', codes: ['KRW-BTC'] },
      { format: 'SIMPLE' },
    ]);
    expect(requestOf([{ symbol: 'KRW-BTC', channel: 'orderbook' }])).toEqual([
      { ticket },
      { type: 'orderbook', codes: ['KRW-BTC.15'] },
      { format: 'SIMPLE' },
    ]);
  });

  it.each([1, 5, 15, 30])('asks for a depth of %i with a suffix to the code', (depth) => {
    expect(requestOf([{ symbol: 'KRW-BTC', channel: 'orderbook' }], depth)).toContainEqual({
      type: 'orderbook',
      codes: [`KRW-BTC.${depth}`],
    });
  });

  it('names each code once', () => {
    expect(requestOf([...SUBSCRIPTIONS, ...SUBSCRIPTIONS])).toEqual(requestOf(SUBSCRIPTIONS));
  });

  it('has codes in upper case, for lower case is answered with silence', () => {
    const symbol = parseSymbol('krw-btc');
    expect(requestOf([{ symbol, channel: 'tick' }])).toContainEqual({ type: 'trade', codes: ['KRW-BTC'] });
  });

  it('has room for every code of the venue in one request', () => {
    const subscriptions = Array.from({ length: 855 }, (_, n): Subscription => ({
      symbol: `KRW-C${n}`,
      channel: 'tick',
    }));
    expect(requestOf(subscriptions)).toContainEqual({
      type: 'trade',
      codes: subscriptions.map(({ symbol }) => symbol),
    });
  });
});
