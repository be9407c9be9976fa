import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { TopicPartition } from '../event-log.js';
import { saysNothing, type KafkaError } from './wire/protocol.js';

/** What a leader's answer to a batch means for it. */
export type Verdict = 'stored' | 'try-again' | 'new-identity' | 'refused';

/** The leader has lost count of this producer, or takes it for an old one: only another identity goes on. */
const IDENTITY_ERRORS: ReadonlySet<string> = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'PRODUCER_FENCED',
]);

export function verdictOn(error: KafkaError | undefined): Verdict {
  // A duplicate is what a batch is whose answer was lost: it is there.
  if (error === undefined || error.type === 'DUPLICATE_SEQUENCE_NUMBER') return 'stored';
  if (IDENTITY_ERRORS.has(error.type)) return 'new-identity';
  return isTransient(error) ? 'try-again' : 'refused';
}

/** What the broker cannot explain may pass, and may come after the batch was stored. */
function isTransient(error: KafkaError): boolean {
  return error.retriable || saysNothing(error);
}

/** Whether a batch may be in the log although its leader answers this. It is not when that is said before the write. */
export function mayBeStoredDespite(error: KafkaError): boolean {
  return verdictOn(error) !== 'refused' && error.type !== 'NOT_ENOUGH_REPLICAS';
}

/** What the frequent refusals mean, and what to do. */
const HINTS: Readonly<Record<string, string>> = {
  NOT_ENOUGH_REPLICAS: 'fewer brokers are in sync than min.insync.replicas asks for: are all of them up?',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'brokers went out of sync while it was written: are all of them up?',
  REQUEST_TIMED_OUT: 'its replicas did not answer the leader in time: are all of them up?',
  KAFKA_STORAGE_ERROR: 'the broker cannot write to its disk: is it full?',
  UNKNOWN_TOPIC_OR_PARTITION: 'the cluster does not have it: was the topic deleted?',
  TOPIC_AUTHORIZATION_FAILED: 'this client may not write to it: grant it WRITE',
  CLUSTER_AUTHORIZATION_FAILED: 'this client may not write with an identity: grant it IDEMPOTENT_WRITE',
  MESSAGE_TOO_LARGE: "it is larger than the topic's max.message.bytes: send less at a time, or raise that",
  RECORD_LIST_TOO_LARGE: "it is larger than the topic's segment.bytes: send less at a time, or raise that",
};

const TOO_LARGE: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

export interface Sent {
  readonly partition: TopicPartition;
  readonly records: number;
  /** Who was asked, if anybody. */
  readonly broker?: string | undefined;
  /** By an earlier try, or by this one: nothing but the leader's yes settles it then. */
  readonly mayBeStored: boolean;
}

export function refusedByBroker(sent: Sent, error: KafkaError): MarketDataError {
  if (verdictOn(error) !== 'refused' || sent.mayBeStored) {
    return new MarketDataError('PUBLISH_FAILED', sentence(sent, explain(error)), {
      context: contextOf(sent),
      retryable: true,
    });
  }
  const code = TOO_LARGE.has(error.type) ? 'PUBLISH_TOO_LARGE' : 'PUBLISH_FAILED';
  return new MarketDataError(code, sentence(sent, explain(error)), { context: contextOf(sent) });
}

/** A refusal of some partitions, where others have stored theirs. */
export function partlyStored(error: unknown, stored: readonly TopicPartition[]): unknown {
  if (stored.length === 0) return error;
  const refusal = asMarketDataError(error, 'PUBLISH_FAILED');
  const storedPartitions = stored.map(({ topic, partition }) => `${topic}/${partition}`).join(',');
  return new MarketDataError(refusal.code, `${refusal.message}; stored are those for ${storedPartitions}`, {
    context: { ...refusal.context, storedPartitions },
    cause: refusal,
  });
}

/** No producer id: nothing is sent without one. */
export function noIdentity(error: KafkaError): MarketDataError {
  return new MarketDataError('PUBLISH_FAILED', explain(error), { retryable: isTransient(error) });
}

/** No answer, or one that does not name the partition. */
export function unanswered(sent: Sent, cause: unknown): MarketDataError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new MarketDataError('PUBLISH_FAILED', sentence(sent, why), {
    cause,
    context: contextOf(sent),
    retryable: sent.mayBeStored || (cause instanceof MarketDataError && cause.retryable),
  });
}

export function outOfTurn({ topic, partition }: TopicPartition): MarketDataError {
  return new MarketDataError(
    'PUBLISH_FAILED',
    `partition ${partition} of ${topic} waits for records that were sent and not answered: the same ones must be ` +
      `appended again before any others`,
    { context: { topic, partition }, retryable: true },
  );
}

export function partTooLarge({ topic, partition }: TopicPartition, most: number): MarketDataError {
  return new MarketDataError(
    'PUBLISH_TOO_LARGE',
    `one append carries more than ${most} bytes of keys and values to partition ${partition} of ${topic}`,
    { context: { topic, partition } },
  );
}

/** The caller waits no longer. */
export function unknownOutcome(records: number): MarketDataError {
  return new MarketDataError(
    'PUBLISH_FAILED',
    `the append of ${records} records was interrupted: they may or may not come to stand in the log`,
    { retryable: true },
  );
}

function explain(error: KafkaError): string {
  return `${HINTS[error.type] ?? error.message} (${error.type})`;
}

function sentence({ partition, records, mayBeStored }: Sent, why: string): string {
  const open = mayBeStored ? '; they may be stored, so the same ones are to be appended again' : '';
  return `${records} records for partition ${partition.partition} of ${partition.topic}: ${why}${open}`;
}

function contextOf({ partition, broker }: Sent): Readonly<Record<string, string | number>> {
  return { topic: partition.topic, partition: partition.partition, ...(broker !== undefined && { broker }) };
}
