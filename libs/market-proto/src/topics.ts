import { MarketDataError, type MarketEvent } from '@aipx/market-model';

type Kind = MarketEvent['kind'];

/** One topic a kind of event. */
export const EVENT_TOPICS: Readonly<Record<Kind, string>> = {
  tick: 'market.tick',
  orderbook: 'market.orderbook',
  gap: 'market.gap',
};

/** Full message name a topic's values have, as the `schema` header says it. */
export const EVENT_SCHEMAS: Readonly<Record<Kind, string>> = {
  tick: 'aipx.market.v1.TickData',
  orderbook: 'aipx.market.v1.OrderBook',
  gap: 'aipx.market.v1.Gap',
};

export const PROTOBUF_CONTENT_TYPE = 'application/x-protobuf';

const KIND_OF_TOPIC = new Map(Object.entries(EVENT_TOPICS).map(([kind, topic]) => [topic, kind as Kind]));

/** @throws {MarketDataError} `VALIDATION_RECORD` for a topic that carries no market events */
export function kindOfTopic(topic: string): Kind {
  const kind = KIND_OF_TOPIC.get(topic);
  if (kind === undefined) {
    throw new MarketDataError(
      'VALIDATION_RECORD',
      `topic ${topic} carries no market events; known: ${[...KIND_OF_TOPIC.keys()].join(', ')}`,
    );
  }
  return kind;
}
