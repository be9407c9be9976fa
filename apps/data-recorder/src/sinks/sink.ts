import type { EventLog, TopicPartition } from '@aipx/event-log';
import { asMarketDataError, type MarketDataError } from '@aipx/market-model';
import { RecordingPipeline, type Recorder, type RecorderFault, type RecorderStatus } from '@aipx/recording';

export type SinkName = 'timescaledb' | 's3';

/** A sink whose store is open. */
export interface OpenSink<Counts> {
  readonly recorder: Recorder;
  /** What became of the records since the process began; follows positions. */
  readonly counts: () => Counts;
  readonly close: () => Promise<void>;
}

export interface SinkContext {
  /** Ends every wait of the sink. */
  readonly signal: AbortSignal;
  /** To be called with each failure that is waited out. */
  readonly onFault: (error: MarketDataError) => void;
}

/** What a sink tells of its store. */
export interface SinkHooks {
  /** A batch was stored, in so many milliseconds. */
  readonly onStored: (tookMs: number) => void;
  /** The store has failed, and is tried again. */
  readonly onStoreFailed: () => void;
}

export interface SinkOptions<Counts> {
  readonly name: SinkName;
  readonly log: EventLog;
  /** Of its own for each sink: each has its own positions. */
  readonly group: string;
  readonly topics: readonly string[];
  readonly concurrency: number;
  /** Longest time, ms, that a record waits for its batch to fill. */
  readonly batchTimeoutMs: number;
  /** Opens the store; waits for one that is away. */
  readonly open: (context: SinkContext) => Promise<OpenSink<Counts>>;
  /** Called with the number of records of each read. */
  readonly onRead: (name: SinkName, records: number) => void;
  /** Called with each failure that is waited out. */
  readonly onFault: (name: SinkName, error: MarketDataError) => void;
}

/** How a sink stands at this moment. */
export interface SinkStatus<Counts = unknown> {
  readonly name: SinkName;
  readonly batchTimeoutMs: number;
  /** Absent until the store is open. */
  readonly recorder: RecorderStatus | undefined;
  /** Absent until the store is open. */
  readonly counts: Counts | undefined;
  /** What is being waited out now. */
  readonly fault: RecorderFault | undefined;
  /** Failures so far that were waited out. */
  readonly errors: number;
  /** The partitions that this process has, each with the first offset that is not stored. */
  readonly positions: readonly SinkPosition[];
}

export interface SinkPosition extends TopicPartition {
  readonly storedTo: bigint;
}

/** One way out of the log: a store, its recorder, and the consumer group that feeds it. Knows nothing of the other one. */
export class Sink<Counts = unknown> {
  readonly name: SinkName;
  readonly #options: SinkOptions<Counts>;
  readonly #ending = new AbortController();
  #opened: OpenSink<Counts> | undefined;
  #pipeline: RecordingPipeline | undefined;
  #openingFault: RecorderFault | undefined;
  #errors = 0;
  #isRecording = false;
  #running: Promise<void> | undefined;

  constructor(options: SinkOptions<Counts>) {
    this.name = options.name;
    this.#options = options;
  }

  /** Records until `end`. Rejects with what no new try can mend. */
  run(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Whether the store is open and nothing has ended the recording. */
  get isRecording(): boolean {
    return this.#isRecording;
  }

  get status(): SinkStatus<Counts> {
    const recorder = this.#opened?.recorder;
    return {
      name: this.name,
      batchTimeoutMs: this.#options.batchTimeoutMs,
      recorder: recorder?.status,
      counts: this.#opened?.counts(),
      fault: this.#openingFault ?? recorder?.status.fault,
      errors: this.#errors,
      positions: (this.#pipeline?.assigned ?? []).flatMap((partition) => {
        const storedTo = recorder?.storedTo(partition);
        return storedTo === undefined ? [] : [{ ...partition, storedTo }];
      }),
    };
  }

  /** Stores everything that was read so far. Rejects when `signal` aborts first. */
  async flush(signal: AbortSignal): Promise<void> {
    await this.#opened?.recorder.flush(signal);
  }

  /** Leaves the consumer group and lets the store go. Never rejects: who waits for `run` hears of a failure. */
  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running?.catch(() => undefined);
    await this.#opened?.close().catch((cause: unknown) => this.#onFault(asMarketDataError(cause, 'STORE_UNAVAILABLE')));
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    const { log, group, topics, concurrency } = this.#options;
    const onRead = (records: number) => this.#options.onRead(this.name, records);
    const onFault = (error: MarketDataError) => this.#onFault(error);
    try {
      const { recorder } = await this.#open();
      this.#isRecording = true;
      this.#pipeline = new RecordingPipeline({ log, recorder, group, topics, concurrency, onRead, onFault });
      await this.#pipeline.run(signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#isRecording = false;
    }
  }

  async #open(): Promise<OpenSink<Counts>> {
    const onFault = (error: MarketDataError) => {
      if (this.#opened === undefined) this.#openingFault = next(this.#openingFault, error);
      this.#onFault(error);
    };
    this.#opened = await this.#options.open({ signal: this.#ending.signal, onFault });
    this.#openingFault = undefined;
    return this.#opened;
  }

  #onFault(error: MarketDataError): void {
    this.#errors += 1;
    this.#options.onFault(this.name, error);
  }
}

function next(before: RecorderFault | undefined, error: MarketDataError): RecorderFault {
  return { since: before?.since ?? Date.now(), error, failures: (before?.failures ?? 0) + 1 };
}
