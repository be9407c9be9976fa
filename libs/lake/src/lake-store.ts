import type { CommittedOffset, EventLog, TopicPartition } from '@aipx/event-log';
import type { MarketDataError } from '@aipx/market-model';
import type { ColdPartition, ColdSession, ColdStore } from '@aipx/recording';
import type { ObjectStore } from './object-store/object-store.js';
import { DEFAULT_BACKOFF, type Backoff, type StoreFault } from './object-store/patience.js';
import { PatientObjectStore } from './object-store/patient-object-store.js';
import type { BatchEncoder } from './parquet/batch-encoder.js';
import { LakePartition } from './protocol/lake-partition.js';
import { LakeNames } from './protocol/names.js';

export interface LakeStoreOptions {
  readonly objects: ObjectStore;
  /** The log the batches come from, read again to finish what a predecessor left. */
  readonly log: Pick<EventLog, 'id' | 'range' | 'read'>;
  readonly encoder: BatchEncoder;
  /** Of every key. @default 'market-data' */
  readonly prefix?: string;
  /** A call to the object store has failed and is tried again; once for each try. */
  readonly onFault?: (fault: StoreFault) => void;
  /** A call that had failed got through. */
  readonly onRecovered?: () => void;
  /** @default 200 ms doubling to 30 s */
  readonly backoff?: Backoff;
}

/** The cold store on an object store: Parquet files, each written once, and a chain of plans that says where each partition stands. */
export class LakeStore implements ColdStore {
  readonly #options: LakeStoreOptions;
  readonly #prefix: string;

  constructor(options: LakeStoreOptions) {
    this.#options = options;
    this.#prefix = options.prefix ?? 'market-data';
  }

  open(partition: TopicPartition, session: ColdSession, committed?: CommittedOffset): Promise<ColdPartition> {
    const { objects, log, encoder, onFault, onRecovered, backoff } = this.#options;
    const patient = new PatientObjectStore(objects, {
      signal: session.signal,
      onFault: (fault) => {
        session.onFault(fault.error, fault.attempt);
        onFault?.(fault);
      },
      onRecovered: () => {
        session.onRecovered();
        onRecovered?.();
      },
      backoff: backoff ?? DEFAULT_BACKOFF,
    });
    const names = new LakeNames(this.#prefix, partition);
    const onTooLarge = (error: MarketDataError, key: string) => {
      onFault?.({ operation: 'encode', key, error, attempt: 1, retryInMs: 0 });
    };
    return LakePartition.open({ objects: patient, names, log, encoder, session, onTooLarge }, committed);
  }
}
