import { MarketDataError } from '@aipx/market-model';
import type { SimulatedEvent, SimulatedVenue } from '@aipx/venue/simulation';
import { plainVenue } from './plain-venue.js';

export interface Heard {
  readonly pongs: string[];
  readonly ends: number[];
  readonly faults: unknown[];
}

/**
 * A venue with everything that the plain one leaves to the defaults: further paths, text frames, requests with a body,
 * pongs that count, markets that rest, segments, records that are left out, and faults of its own.
 */
export function talkingVenue(heard: Heard): SimulatedVenue {
  const plain = plainVenue();
  let resting = true;
  return {
    ...plain,
    apiPath: '',
    acceptsPath: (path) => path.startsWith('/socket/'),
    frameType: 'text',
    apiMethods: ['GET', 'POST'],
    accept: (client, listed) => {
      const connection = plain.accept(client, listed);
      return {
        ...connection,
        onText: (text) => {
          if (text === 'drop') client.close(1006);
          else if (text === 'later') client.later(1, () => connection.onText('A'));
          else connection.onText(text);
        },
        onPong: (payload) => heard.pongs.push(payload),
        onEnd: (code) => heard.ends.push(code),
        get subscribed() {
          return connection.subscribed;
        },
        get streams() {
          return connection.streams.map((stream) => ({ ...stream, segment: 'NIGHT' }));
        },
        takeSnapshotRequests: () => [],
      };
    },
    rest: ({ method, headers, body }) => ({ status: 200, body: `${method} ${String(headers['x-name'])} ${body}` }),
    market: () => {
      const event = (symbol: string): SimulatedEvent => ({
        symbol,
        channel: 'tick',
        segment: 'NIGHT',
        snapshot: false,
        reference: '12',
        records: [
          { reference: '9', volume: 2, cumulative: 9, fate: 'lost' },
          { reference: '12', volume: 3, cumulative: 12, fate: 'sent' },
        ],
        payload: symbol,
      });
      return {
        next: ({ symbol, channel }) => (resting || channel !== 'tick' ? undefined : event(symbol)),
        snapshot: ({ symbol }) => event(symbol),
      };
    },
    inject: (fault) => {
      heard.faults.push(fault);
      if (fault['name'] !== 'wake') throw new MarketDataError('CONFIG_INVALID', 'no such fault');
      resting = false;
    },
    brokenFrame: (kind = 'plainly') => Buffer.from(`broken ${kind}`),
  };
}
