import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from './broker.ts';
import type { LatencyHistogram } from './latency.ts';
import type { Metrics } from './metrics-text.ts';
import { Service } from './service.ts';
import { UsageWatch, type Usage } from './usage.ts';
import { SYMBOLS, Venue } from './venue.ts';

/** What every measurement needs. */
export interface Setting {
  readonly broker: Broker;
  readonly folder: string;
  readonly nodeFlags: readonly string[];
  readonly signal: AbortSignal;
}

export interface Load {
  /** Messages a second. */
  readonly rate: number;
  readonly warmUpMs: number;
  readonly forMs: number;
}

export interface Counts {
  readonly sent: number;
  readonly received: number;
  readonly published: number;
  readonly conflated: number;
  readonly dropped: number;
}

export interface LoadMeasurement {
  /** From the first to the last message. */
  readonly counts: Counts;
  /** Trades and books, as a client says that is not the service's. */
  readonly inKafka: number;
  /** While it was measured. */
  readonly measured: Counts;
  /** Messages a second that the venue could send while it was measured. */
  readonly heldRate: number;
  readonly fromFrame: LatencyHistogram;
  readonly fromSend: LatencyHistogram;
  readonly usage: Readonly<Record<'service' | 'venue' | 'broker', Usage>>;
}

const SECOND_MS = 1_000;
/** What a subscription begins with. */
const SNAPSHOTS = 2 * SYMBOLS.length;

/** Runs a market and the service on an empty log for a while, and looks at both from outside. */
export async function measureLoad(setting: Setting, { rate, warmUpMs, forMs }: Load): Promise<LoadMeasurement> {
  const { broker, signal } = setting;
  await using pair = await startPair(setting, rate);
  const { venue, service } = pair;
  await sleep(warmUpMs, undefined, { signal });
  const watch = new UsageWatch({ service: service.pid, venue: venue.pid, broker: broker.pid });
  await watch.start();
  const before = await look(pair);
  await sleep(forMs, undefined, { signal });
  const after = await look(pair);
  const usage = await watch.stop();
  const sent = await venue.finish();
  const last = await service.until(
    'everything that was received to be published',
    (metrics) => countsOf(metrics, sent).received >= sent && metrics.sum('ingestion_buffer_messages') === 0,
  );
  await service.stop();
  const [measured, heldRate] = [
    difference(after.counts, before.counts),
    ((after.counts.sent - before.counts.sent) * SECOND_MS) / (after.at - before.at),
  ];
  const [counts, inKafka] = [countsOf(last, sent), await broker.records()];
  expectComplete(counts, inKafka);
  const latencyOf = (name: string) => after.metrics.latency(name).since(before.metrics.latency(name));
  return {
    counts,
    inKafka,
    measured,
    heldRate,
    fromFrame: latencyOf('ingestion_end_to_end_latency_seconds'),
    fromSend: latencyOf('ingestion_kafka_publish_latency_seconds'),
    usage,
  };
}

/** A venue and a service that listens to it and has begun to receive. */
export async function startPair(
  { broker, folder, nodeFlags, signal }: Setting,
  rate: number,
): Promise<AsyncDisposable & { readonly venue: Venue; readonly service: Service }> {
  await using started = new AsyncDisposableStack();
  const venue = started.use(await Venue.start(rate, signal));
  const service = started.use(
    await Service.start({
      app: 'data-ingestion',
      folder: await mkdtemp(join(folder, 'service-')),
      nodeFlags,
      settings: { ...venue.settings, KAFKA_BROKERS: broker.addresses.join(',') },
      signal,
    }),
  );
  await service.until(
    'the service to receive',
    (metrics) => metrics.holds('ingestion_messages_published_total') && countsOf(metrics, 0).received > SNAPSHOTS,
  );
  const stack = started.move();
  return { venue, service, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

function countsOf(metrics: Metrics, sent: number): Counts {
  return {
    sent,
    received: metrics.sum('ingestion_messages_received_total'),
    published: metrics.sum('ingestion_messages_published_total'),
    conflated: metrics.sum('ingestion_conflated_total'),
    dropped: metrics.sum('ingestion_dropped_total'),
  };
}

async function look({ venue, service }: { readonly venue: Venue; readonly service: Service }) {
  const at = performance.now();
  const [metrics, sent] = await Promise.all([service.metrics(), venue.sent()]);
  return { at, metrics, counts: countsOf(metrics, sent) };
}

function difference(after: Counts, before: Counts): Counts {
  return {
    sent: after.sent - before.sent,
    received: after.received - before.received,
    published: after.published - before.published,
    conflated: after.conflated - before.conflated,
    dropped: after.dropped - before.dropped,
  };
}

/** A service that is fast because it leaves messages out must not be praised. */
function expectComplete({ sent, received, published, conflated, dropped }: Counts, inKafka: number): void {
  if (received !== sent) throw new Error(`the venue sent ${sent} messages and the service received ${received}`);
  const told = published + conflated + dropped;
  if (told !== received) throw new Error(`of ${received} messages received, the service tells of ${told}`);
  if (inKafka !== published) throw new Error(`${published} messages were published, and the topics hold ${inKafka}`);
}
