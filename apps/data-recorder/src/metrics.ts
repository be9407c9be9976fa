import type { ColdCounts } from '@aipx/recording';
import { LATENCY_BOUNDS, MetricsRegistry, type Cell, type Cells, type HistogramCell, type Sample } from '@aipx/service';
import { handled, recordCounts, type RecordCounts } from './record-counts.js';
import type { SinkName, SinkStatus } from './sinks/sink.js';
import { ageMs, sinksOf, type Lag, type RecorderServiceStatus } from './status.js';

const KINDS = ['tick', 'orderbook', 'gap'] as const;
/** Seconds. A batch of files takes longer than a transaction. */
const FLUSH_BOUNDS = [...LATENCY_BOUNDS, 30, 60, 120];

export interface ServiceInfo {
  readonly service: string;
  readonly version: string;
  readonly environment: string;
}

/**
 * What the service measures, under `recorder_`. No label is a symbol. Counters of records follow the sinks' positions:
 * a record counts once, when its position has moved, however often it was read.
 */
export class RecorderMetrics {
  readonly registry = new MetricsRegistry('recorder_');
  readonly #status: () => RecorderServiceStatus;
  readonly #read: Cells<'sink', Cell>;
  readonly #flushes: Cells<'sink', HistogramCell>;
  readonly #errors: Cells<'part', Cell>;
  readonly #inserts: Cell;
  readonly #insertErrors: Cell;
  readonly #uploadErrors: Cell;

  constructor(status: () => RecorderServiceStatus, info: ServiceInfo) {
    this.#status = status;
    const { registry } = this;
    registry.collectProcess();
    const about = {
      name: 'service_info',
      help: 'Always 1; the labels say what runs',
      labels: ['service', 'version', 'environment'],
    } as const;
    registry.collectGauge(about, () => [{ labels: { ...info }, value: 1 }]);
    this.#read = registry.counter({
      name: 'read_total',
      help: 'Records read; some again after a failure or a rebalance',
      labels: ['sink'],
    });
    this.#flushes = registry.histogram(
      { name: 'flush_seconds', help: 'From a batch that is cut to its position moved', labels: ['sink'] },
      FLUSH_BOUNDS,
    );
    this.#errors = registry.counter({ name: 'errors_total', help: 'Failures that were waited out', labels: ['part'] });
    this.#inserts = this.#plainCounter('inserts_total', 'Transactions of rows');
    this.#insertErrors = this.#plainCounter(
      'insert_errors_total',
      'Tries of the database that failed and were repeated',
    );
    this.#uploadErrors = this.#plainCounter(
      'upload_errors_total',
      'Requests to the object store that failed and were repeated',
    );
    this.#records();
    this.#uploads();
    this.#waiting();
  }

  /** Something was waited out. */
  failed(part: 'kafka' | SinkName): void {
    this.#errors.of({ part }).add();
  }

  read(sink: SinkName, records: number): void {
    this.#read.of({ sink }).add(records);
  }

  /** A batch was stored. */
  stored(sink: SinkName, tookMs: number): void {
    if (sink === 'timescaledb') this.#inserts.add();
    this.#flushes.of({ sink }).observe(tookMs / 1_000);
  }

  storeFailed(sink: SinkName): void {
    (sink === 'timescaledb' ? this.#insertErrors : this.#uploadErrors).add();
  }

  close(): void {
    this.registry.close();
  }

  #records(): void {
    const { registry } = this;
    const perSink = (value: (counts: RecordCounts) => number) => () =>
      recordCounts(this.#status().sinks).map(([sink, counts]) => ({ labels: { sink }, value: value(counts) }));
    registry.collectCounter(
      {
        name: 'messages_total',
        help: 'Records that a sink is done with: stored, known already, or kept as dead letters',
        labels: ['sink'],
      },
      perSink(handled),
    );
    registry.collectCounter({ name: 'rows_total', help: 'Records that a sink stored', labels: ['sink', 'kind'] }, () =>
      recordCounts(this.#status().sinks).flatMap(([sink, counts]) =>
        KINDS.map((kind) => ({ labels: { sink, kind }, value: counts[kind] })),
      ),
    );
    registry.collectCounter(
      { name: 'duplicates_total', help: 'Trades that the venue sent again', labels: ['sink'] },
      perSink(({ duplicates }) => duplicates),
    );
    registry.collectCounter(
      {
        name: 'dead_letters_total',
        help: 'Records without a row: undecodable, refused, or in conflict with one',
        labels: ['sink'],
      },
      perSink(({ deadLetters }) => deadLetters),
    );
  }

  #uploads(): void {
    const ofCold = (name: string, help: string, value: (counts: ColdCounts) => number) => {
      this.registry.collectCounter({ name, help }, () => {
        const counts = this.#status().sinks.cold?.counts;
        return counts === undefined ? [] : [{ labels: {}, value: value(counts) }];
      });
    };
    ofCold('uploads_total', 'Parquet files', ({ files }) => files);
    ofCold('upload_bytes_total', 'Their bytes', ({ bytes }) => bytes);
    ofCold('missing_total', 'Offsets that retention took before they were in a file', ({ missing }) => missing);
  }

  #waiting(): void {
    const { registry } = this;
    const labels = ['sink'] as const;
    const perSink = (value: (sink: SinkStatus) => number | undefined) => () =>
      sinksOf(this.#status().sinks).flatMap((sink) => sample(sink, value(sink)));
    registry.collectGauge(
      { name: 'buffer_records', help: 'Records in memory that are not stored', labels },
      perSink(({ recorder }) => recorder?.bufferedRecords),
    );
    registry.collectGauge(
      { name: 'buffer_bytes', help: 'Their encoded bytes', labels },
      perSink(({ recorder }) => recorder?.bufferedBytes),
    );
    registry.collectCounter(
      { name: 'pauses_total', help: 'How often reading had to wait for room', labels },
      perSink(({ recorder }) => recorder?.pauses),
    );
    registry.collectGauge(
      { name: 'partitions', help: 'Partitions that this process records', labels },
      perSink(({ positions }) => positions.length),
    );
    registry.collectGauge(
      {
        name: 'newest_stored_age_seconds',
        help: 'Since Kafka took the newest record that is stored',
        labels,
      },
      perSink(({ recorder }) => age(recorder?.newestStored)),
    );
    registry.collectGauge(
      {
        name: 'oldest_waiting_age_seconds',
        help: 'Since Kafka took the oldest record that was read and is not stored',
        labels,
      },
      perSink(({ recorder }) => age(recorder?.waitingSince)),
    );
    registry.collectGauge(
      {
        name: 'consumer_lag_records',
        help: 'Records between the sink and the end of the topic, as of the last look, every ten seconds',
        labels: ['sink', 'topic'],
      },
      () => {
        const { hot, cold } = this.#status().lag;
        return [...lagSamples('timescaledb', hot), ...lagSamples('s3', cold)];
      },
    );
  }

  #plainCounter(name: string, help: string): Cell {
    return this.registry.counter({ name, help }).of({});
  }
}

function sample({ name }: SinkStatus, value: number | undefined): readonly Sample<'sink'>[] {
  return value === undefined ? [] : [{ labels: { sink: name }, value }];
}

function lagSamples(sink: SinkName, lag: Lag): readonly Sample<'sink' | 'topic'>[] {
  return [...lag].map(([topic, value]) => ({ labels: { sink, topic }, value }));
}

function age(appendedAt: bigint | undefined): number | undefined {
  return appendedAt === undefined ? undefined : ageMs(appendedAt, Date.now()) / 1_000;
}
