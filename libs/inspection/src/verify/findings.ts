import type { TopicPartition } from '@aipx/event-log';

/** What a finding is about: one of the stores, or the log's topic of dead letters. */
export type Store = 'database' | 'lake' | 'dead letters';

/**
 * `lost`: in the log, or in the other store, and not here. `doubled`: more than once. `different`: its content is not
 * what the log has. `conflict`: a trade under the id of another one, kept as a dead letter. `damaged`: a file or an
 * entry of the lake that is not what it must be.
 */
export type FindingKind = 'lost' | 'doubled' | 'different' | 'conflict' | 'damaged';

export interface Finding {
  readonly kind: FindingKind;
  readonly store: Store;
  /** Where in the log it is about; a file may be about many offsets, a foreign one about none. */
  readonly partition?: TopicPartition;
  readonly offset?: bigint;
  readonly exchange?: string;
  readonly symbol?: string;
  /** Nanoseconds of event time. */
  readonly time?: bigint;
  /** Of the lake, relative to the prefix. */
  readonly file?: string;
  /** One sentence. */
  readonly says: string;
}
