import type { Registration, Subscription } from '@aipx/venue';
import { STREAMS, type RecordKind, type Segment, type Stream } from '../layout/streams.js';

/** One stream of one symbol. There is no request for several (official samples and portal). */
export function registration(
  approvalKey: string,
  trId: string,
  symbol: string,
  subscription?: Subscription,
): Registration {
  const text = (type: string) =>
    JSON.stringify({
      header: { approval_key: approvalKey, custtype: 'P', tr_type: type, 'content-type': 'utf-8' },
      body: { input: { tr_id: trId, tr_key: symbol } },
    });
  return { name: nameOf(trId, symbol), ...(subscription && { subscription }), request: text('1'), release: text('2') };
}

/** What the registration of a stream of a symbol is called. */
export function nameOf(trId: string, symbol: string): string {
  return `${trId} ${symbol}`;
}

/** The stream that carries a channel of a segment. */
export function streamOf(segment: Segment, channel: Subscription['channel']): Stream {
  return find(segment, channel === 'tick' ? 'trade' : channel);
}

/** The stream that carries halts and changes of session; there is none of all symbols together. */
export function operationsOf(segment: Segment): Stream {
  return find(segment, 'operation');
}

function find(segment: Segment, kind: RecordKind): Stream {
  for (const stream of STREAMS.values()) {
    if (stream.segment === segment && stream.kind === kind) return stream;
  }
  throw new RangeError(`${segment} has no stream of ${kind}`);
}
