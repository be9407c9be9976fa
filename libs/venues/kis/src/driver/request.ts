import type { Subscription } from '@aipx/venue';
import { STREAMS, type Segment, type Stream } from '../layout/streams.js';

/** Registers one stream of one symbol. There is no request for several (official samples and portal). */
export function registration(approvalKey: string, trId: string, symbol: string): string {
  return JSON.stringify({
    header: { approval_key: approvalKey, custtype: 'P', tr_type: '1', 'content-type': 'utf-8' },
    body: { input: { tr_id: trId, tr_key: symbol } },
  });
}

/** The stream that carries a channel of a segment. */
export function streamOf(segment: Segment, channel: Subscription['channel']): Stream {
  for (const stream of STREAMS.values()) {
    if (stream.segment === segment && stream.channel === channel) return stream;
  }
  throw new RangeError(`${segment} has no stream of ${channel}`);
}
