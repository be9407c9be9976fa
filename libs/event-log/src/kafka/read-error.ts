import { MarketDataError } from '@aipx/market-model';
import type { OffsetRange, TopicPartition } from '../event-log.js';
import { saysNothing, type KafkaError } from './wire/protocol.js';

const HINTS: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'this client may not read it: grant it READ',
  UNKNOWN_TOPIC_OR_PARTITION: 'the cluster does not have it: was the topic deleted?',
  KAFKA_STORAGE_ERROR: 'the broker cannot read its disk',
};

/** What a leader answers instead of records: `STORE_UNAVAILABLE` if it passes, else `STORE_REFUSED`. */
export function readError(of: TopicPartition, error: KafkaError): MarketDataError {
  const retryable = error.retriable || saysNothing(error);
  return new MarketDataError(
    retryable ? 'STORE_UNAVAILABLE' : 'STORE_REFUSED',
    `${nameOf(of)}: ${HINTS[error.type] ?? error.message} (${error.type})`,
    { context: { ...of }, retryable },
  );
}

/** An answer that says nothing of the partition is none. */
export function unnamed(of: TopicPartition): MarketDataError {
  return unavailable(of, 'the answer does not name it; is this client held to a quota?');
}

/** Nothing came from a place where the log is known to go on: it is not the end. */
export function withheld(of: TopicPartition, from: bigint, end: bigint): MarketDataError {
  return unavailable(of, `its leader gives nothing at ${from}, though the log goes on to ${end}; has it just changed?`);
}

function unavailable(of: TopicPartition, why: string): MarketDataError {
  return new MarketDataError('STORE_UNAVAILABLE', `${nameOf(of)}: ${why}`, { context: { ...of }, retryable: true });
}

/** Reading was given up; retryable if what it failed for may pass. */
export function unreadable(of: TopicPartition, cause: unknown): MarketDataError {
  if (cause instanceof MarketDataError && cause.code.startsWith('STORE_')) return cause;
  return new MarketDataError('STORE_UNAVAILABLE', `${nameOf(of)}: ${cause instanceof Error ? cause.message : cause}`, {
    cause,
    context: { ...of },
    retryable: cause instanceof MarketDataError && cause.retryable,
  });
}

/** Retryable unless `offset` lies beyond the end: retention moves the begin, and nothing else does. */
export function outsideOfRange(of: TopicPartition, offset: bigint, { begin, end }: OffsetRange): MarketDataError {
  return new MarketDataError(
    'STORE_REFUSED',
    `${nameOf(of)} has offsets from ${begin} to ${end}, so there is nothing to read at ${offset}`,
    { context: { ...of }, retryable: offset <= end },
  );
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `partition ${partition} of ${topic}`;
}
