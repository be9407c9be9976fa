import type { IngestionStatus, VenuePublishCounts, WaitingRecord } from '@aipx/ingestion';
import { LATENCY_BOUNDS, MetricsRegistry, type HistogramCell } from '@aipx/service';
import type { VenueMetric } from '@aipx/venue';
import { wallClock, type ConnectionState } from '@aipx/websocket-client';

const STATES: readonly ConnectionState[] = ['DISCONNECTED', 'CONNECTING', 'CONNECTED', 'RECONNECTING', 'FAILED'];
const KINDS = ['tick', 'orderbook'] as const;
const DROP_REASONS = ['expired', 'overflow', 'refused', 'shutdown'] as const;
const NANOS_PER_SECOND = 1e9;
/** Seconds. Finer where most publishes end, so that their 99th percentile can be read. */
const END_TO_END_BOUNDS = [
  ...[0.0005, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01, 0.012, 0.014, 0.016, 0.018, 0.02],
  ...[0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
];

export interface ServiceInfo {
  readonly service: string;
  readonly version: string;
  readonly environment: string;
}

/** What the service measures, under `ingestion_`, and what its venues do. No label is a symbol. */
export class IngestionMetrics {
  readonly registry = new MetricsRegistry('ingestion_');
  readonly #status: () => IngestionStatus | undefined;
  readonly #processing: HistogramCell;
  readonly #publishing: HistogramCell;
  readonly #endToEnd: HistogramCell;

  /** @param status `undefined` until the ingestion runs */
  constructor(status: () => IngestionStatus | undefined, info: ServiceInfo) {
    this.#status = status;
    const { registry } = this;
    registry.collectProcess();
    registry.collectGauge(
      {
        name: 'service_info',
        help: 'Always 1; the labels say what runs',
        labels: ['service', 'version', 'environment'],
      },
      () => [{ labels: { ...info }, value: 1 }],
    );
    this.#processing = this.#latency(
      'processing_latency_seconds',
      'From a received frame to its records in the buffer',
    );
    this.#publishing = this.#latency('kafka_publish_latency_seconds', 'From a send to its acknowledgement');
    const help = 'From a received frame to its acknowledged publish';
    this.#endToEnd = registry.histogram({ name: 'end_to_end_latency_seconds', help }, END_TO_END_BOUNDS).of({});
    this.#venues();
    this.#published();
    this.#buffer();
    this.#spill();
  }

  processed(receivedAt: bigint): void {
    this.#processing.observe(Number(wallClock() - receivedAt) / NANOS_PER_SECOND);
  }

  acknowledged(records: readonly WaitingRecord[], tookMs: number): void {
    this.#publishing.observe(tookMs / 1_000);
    const now = wallClock();
    for (const { stream, receivedAt } of records) {
      if (stream !== undefined) this.#endToEnd.observe(Number(now - receivedAt) / NANOS_PER_SECOND);
    }
  }

  /** Under the names that the venues give them, the same in every service. */
  addVenues(metrics: readonly VenueMetric[]): void {
    for (const { kind, read, ...definition } of metrics) {
      if (kind === 'counter') this.registry.collectCounter({ ...definition, isShared: true }, read);
      else this.registry.collectGauge({ ...definition, isShared: true }, read);
    }
  }

  close(): void {
    this.registry.close();
  }

  #latency(name: string, help: string): HistogramCell {
    return this.registry.histogram({ name, help }, LATENCY_BOUNDS).of({});
  }

  #venues(): void {
    this.#counter('messages_received_total', 'Sound records of subscribed streams', ['venue', 'kind'], (status) =>
      venuesOf(status).flatMap(([venue, { counts }]) =>
        KINDS.map((kind) => ({ labels: { venue, kind }, value: counts[kind] })),
      ),
    );
    this.#counter('messages_rejected_total', 'Records kept as dead letters', ['venue'], (status) =>
      venuesOf(status).map(([venue, { counts }]) => ({ labels: { venue }, value: counts.rejected })),
    );
    this.#counter('messages_repeated_total', 'Sound records that came before', ['venue'], (status) =>
      venuesOf(status).map(([venue, { counts }]) => ({ labels: { venue }, value: counts.repeated })),
    );
    this.#counter('messages_ignored_total', 'Records of streams that were not subscribed', ['venue'], (status) =>
      venuesOf(status).map(([venue, { counts }]) => ({ labels: { venue }, value: counts.ignored })),
    );
    this.#counter('notices_total', 'Times the venue behaved otherwise than is known of it', ['venue'], (status) =>
      venuesOf(status).map(([venue, { counts }]) => ({ labels: { venue }, value: counts.notices })),
    );
    this.#counter('reconnects_total', 'Lost connections that were replaced', ['venue'], (status) =>
      venuesOf(status).map(([venue, { reconnects }]) => ({ labels: { venue }, value: reconnects })),
    );
    this.#gauge('silent_symbols', 'Codes of which nothing comes', ['venue'], (status) =>
      venuesOf(status).map(([venue, { silent, stale }]) => ({
        labels: { venue },
        value: silent.length + stale.length,
      })),
    );
    this.#gauge('refused_streams', 'Streams that the venue does not send, as it says', ['venue'], (status) =>
      venuesOf(status).map(([venue, { refused }]) => ({ labels: { venue }, value: refused.length })),
    );
    this.#gauge('unanswered_streams', 'Streams that the venue has not answered for in time', ['venue'], (status) =>
      venuesOf(status).map(([venue, { unanswered }]) => ({ labels: { venue }, value: unanswered.length })),
    );
    this.#gauge('halted_symbols', 'Codes in which trading stands still', ['venue'], (status) =>
      venuesOf(status).map(([venue, { halted }]) => ({ labels: { venue }, value: halted.length })),
    );
    this.#gauge('connection_state', '1 for the state the venue’s connection is in', ['venue', 'state'], (status) =>
      venuesOf(status).flatMap(([venue, { state: current }]) =>
        STATES.map((state) => ({ labels: { venue, state }, value: state === current ? 1 : 0 })),
      ),
    );
  }

  #published(): void {
    const help = 'Records the log acknowledged';
    this.#counter('messages_published_total', help, ['venue', 'kind'], (status) =>
      venuesOf(status).flatMap(([venue]) =>
        KINDS.map((kind) => ({ labels: { venue, kind }, value: publishCounts(status, venue)?.published[kind] ?? 0 })),
      ),
    );
    this.#counter('publish_errors_total', 'Sends that failed and were repeated', ['venue', 'kind'], (status) =>
      venuesOf(status).flatMap(([venue]) =>
        KINDS.map((kind) => ({ labels: { venue, kind }, value: publishCounts(status, venue)?.errors[kind] ?? 0 })),
      ),
    );
    this.#counter('gaps_published_total', 'Gaps the log acknowledged, by cause', ['venue', 'cause'], ({ publisher }) =>
      [...publisher.venues].flatMap(([venue, { gaps }]) =>
        Object.entries(gaps).map(([cause, value]) => ({ labels: { venue, cause }, value })),
      ),
    );
    this.#counter('dead_letters_total', 'Dead letters the log acknowledged', [], ({ publisher }) => [
      { labels: {}, value: publisher.counts.deadLetters },
    ]);
    this.#gauge('consecutive_errors', 'Failed sends since the last one that worked', [], ({ publisher }) => [
      { labels: {}, value: publisher.consecutiveErrors },
    ]);
  }

  #buffer(): void {
    this.#counter('conflated_total', 'Books that a newer one replaced while they waited', [], ({ publisher }) => [
      { labels: {}, value: publisher.counts.conflated },
    ]);
    this.#counter('dropped_total', 'Records that were let go; a gap names each', ['reason'], ({ publisher }) =>
      DROP_REASONS.map((reason) => ({ labels: { reason }, value: publisher.counts.dropped[reason] })),
    );
    this.#counter('dead_letters_dropped_total', 'Dead letters without room', [], ({ publisher }) => [
      { labels: {}, value: publisher.counts.deadLettersDropped },
    ]);
    this.#gauge('buffer_messages', 'Records in memory that are not acknowledged', [], ({ publisher }) => [
      { labels: {}, value: publisher.waiting },
    ]);
    this.#gauge('buffer_bytes', 'Memory they take', [], ({ publisher }) => [
      { labels: {}, value: publisher.waitingBytes },
    ]);
  }

  #spill(): void {
    this.#gauge('spill_active', '1 while new trades go to the disk', [], ({ publisher: { spill } }) => [
      { labels: {}, value: spill?.active ? 1 : 0 },
    ]);
    this.#gauge('spill_bytes', 'Size of the spill files', [], ({ publisher: { spill } }) => [
      { labels: {}, value: spill?.bytes ?? 0 },
    ]);
    this.#gauge('spill_messages', 'Records on the disk that are not acknowledged', [], ({ publisher: { spill } }) => [
      { labels: {}, value: spill?.waiting ?? 0 },
    ]);
    this.#counter('spilled_total', 'Records written to the disk', [], ({ publisher: { spill } }) => [
      { labels: {}, value: spill?.written ?? 0 },
    ]);
  }

  #counter<Name extends string>(name: string, help: string, labels: readonly Name[], read: Read<Name>): void {
    this.registry.collectCounter({ name, help, labels }, () => this.#read(read));
  }

  #gauge<Name extends string>(name: string, help: string, labels: readonly Name[], read: Read<Name>): void {
    this.registry.collectGauge({ name, help, labels }, () => this.#read(read));
  }

  #read<Name extends string>(read: Read<Name>): ReturnType<Read<Name>> {
    const status = this.#status();
    return status === undefined ? [] : read(status);
  }
}

type Read<Name extends string> = (
  status: IngestionStatus,
) => readonly { readonly labels: Readonly<Record<Name, string>>; readonly value: number }[];

function venuesOf({ venues }: IngestionStatus) {
  return Object.entries(venues);
}

/** Absent until something of the venue was sent. */
function publishCounts({ publisher }: IngestionStatus, venue: string): VenuePublishCounts | undefined {
  return publisher.venues.get(venue);
}
