import type { TopicPartition } from '@aipx/event-log';
import type { Gap, Nanoseconds } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';

/**
 * The Gap for records that the log let go before they were read. Which symbols they had cannot be known any more.
 *
 * @param until when the log took the first record behind them
 */
export function retentionGap({ topic, partition }: TopicPartition, from: bigint, to: bigint, until: Nanoseconds): Gap {
  return {
    kind: 'gap',
    exchange: '',
    symbol: '',
    channel: topic === EVENT_TOPICS.tick ? 'tick' : topic === EVENT_TOPICS.orderbook ? 'orderbook' : undefined,
    from: 0n,
    to: until,
    cause: 'RETENTION',
    missed: to - from,
    missedVolume: undefined,
    detail: `offsets ${from} to ${to - 1n} of ${topic}/${partition} were gone from the log before they were read`,
  };
}
