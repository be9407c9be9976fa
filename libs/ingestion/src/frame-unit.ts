import { deadLetterEntry } from '@aipx/event-log/dead-letter';
import type { DeadLetter, LogEntry, SourceProgress } from '@aipx/event-log';
import type { MarketEvent } from '@aipx/market-model';
import { encodeEvent, EVENT_SCHEMAS, EVENT_TOPICS, PROTOBUF_CONTENT_TYPE } from '@aipx/market-proto';

/** What one frame becomes in the log. It goes there as a whole, in one transaction, or not at all. */
export interface FrameUnit {
  readonly events: readonly MarketEvent[];
  readonly deadLetters: readonly DeadLetter[];
  /** Size of the frame, for the bound of what waits. */
  readonly bytes: number;
  /** Where a replayed source stands after this frame. */
  readonly progress?: SourceProgress;
}

export function entriesOf(unit: FrameUnit): LogEntry[] {
  return [...unit.events.map(eventEntry), ...unit.deadLetters.map(deadLetterEntry)];
}

export function eventEntry(event: MarketEvent): LogEntry {
  return {
    topic: EVENT_TOPICS[event.kind],
    key: event.symbol,
    value: encodeEvent(event),
    headers: headersOf(event.kind, event.exchange),
  };
}

type Headers = Readonly<Record<string, string>>;

/** By kind and venue, which is all they differ by: a handful of shared objects instead of one a record. */
const knownHeaders: Record<MarketEvent['kind'], Map<string, Headers>> = {
  tick: new Map(),
  orderbook: new Map(),
  gap: new Map(),
};

function headersOf(kind: MarketEvent['kind'], exchange: string): Headers {
  const ofKind = knownHeaders[kind];
  let headers = ofKind.get(exchange);
  if (headers === undefined) {
    headers = Object.freeze({ exchange, schema: EVENT_SCHEMAS[kind], 'content-type': PROTOBUF_CONTENT_TYPE });
    ofKind.set(exchange, headers);
  }
  return headers;
}
