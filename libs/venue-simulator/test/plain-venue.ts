import type { Subscription } from '@aipx/venue';
import type { SimulatedEvent, SimulatedVenue } from '@aipx/venue/simulation';

/**
 * The plainest protocol the host can serve: a client sends the codes it wants, separated by spaces; an event is
 * `<code> <channel> <snapshot|realtime> <number of the event in its stream>`. `bye` makes the venue refuse.
 */
export function plainVenue(idleLimitMs = 60_000): SimulatedVenue {
  return {
    id: 'plain',
    symbols: ['A', 'B'],
    defaultSymbols: ['A'],
    websocketPath: '/socket',
    apiPath: '/api',
    idleLimitMs,
    accept: (client, listed) => {
      let streams: readonly Subscription[] = [];
      let snapshots: readonly Subscription[] = [];
      let subscribed = false;
      const refuse = (): void => {
        streams = [];
        client.control('refused');
        client.later(1, () => {
          client.close(1000);
        });
      };
      return {
        onText: (text) => {
          if (text === 'bye') {
            refuse();
            return;
          }
          subscribed = true;
          const codes = text.split(' ').filter((code) => listed.has(code));
          streams = codes.flatMap((symbol) => [
            { symbol, channel: 'tick' as const },
            { symbol, channel: 'orderbook' as const },
          ]);
          snapshots = streams;
        },
        get subscribed() {
          return subscribed;
        },
        get streams() {
          return streams;
        },
        takeSnapshotRequests: () => {
          const owed = snapshots;
          snapshots = [];
          return owed;
        },
        frame: ({ symbol, channel, payload }) =>
          streams.some((stream) => stream.symbol === symbol && stream.channel === channel)
            ? Buffer.from(payload as string)
            : undefined,
        refuse,
      };
    },
    rest: ({ path, listed }) =>
      path === '/api/codes'
        ? { status: 200, body: [...listed].join(' '), headers: { 'content-type': 'text/plain' } }
        : { status: 404, body: 'no such call' },
    market: ({ seed, nextStamp }) => {
      const counts = new Map<string, number>();
      const event = ({ symbol, channel }: Subscription, snapshot: boolean): SimulatedEvent => {
        const key = `${symbol} ${channel}`;
        const count = (counts.get(key) ?? seed) + (snapshot ? 0 : 1);
        counts.set(key, count);
        const { millis, counter } = nextStamp();
        const payload = `${key} ${snapshot ? 'snapshot' : 'realtime'} ${count}`;
        return { symbol, channel, snapshot, reference: `${millis}-${counter}`, payload };
      };
      return { next: (stream) => event(stream, false), snapshot: (stream) => event(stream, true) };
    },
    isData: (frame) => frame !== 'heartbeat',
    symbolsIn: (frame) => /^code (\S+)/.exec(frame)?.slice(1, 2) ?? [],
  };
}
