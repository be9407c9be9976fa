import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEAD_LETTER_TOPIC } from '@aipx/event-log';
import { KafkaEventLog } from '@aipx/event-log/kafka';
import type { MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import type { ColdCounts, HotCounts } from '@aipx/recording';
import { FaultLog, ServiceHttpServer, type Logger, type ManagedService } from '@aipx/service';
import { consumerHealth, sinkHealth } from './health.js';
import { LagMeter } from './lag-meter.js';
import { RecorderMetrics } from './metrics.js';
import { ProgressLog } from './progress-log.js';
import type { DataRecorderSettings } from './settings.js';
import { openCold } from './sinks/cold-sink.js';
import { openHot } from './sinks/hot-sink.js';
import { Sink, type SinkHooks, type SinkName } from './sinks/sink.js';
import type { Lag, RecorderServiceStatus, SinkStatuses } from './status.js';
import { SinkStop } from './sinks/stop.js';
import { version } from './version.js';

/** Closing is given so long, ms, once there is no time left. */
const LETTING_GO_MS = 300;
const NO_LAG: Lag = new Map();

/** Kafka to the stores, as one process. The sinks share the log and nothing else. */
export class RecorderService implements ManagedService {
  readonly #settings: DataRecorderSettings;
  readonly #logger: Logger;
  readonly #faults: FaultLog;
  readonly #metrics: RecorderMetrics;
  readonly #progress: ProgressLog;
  readonly #ended = Promise.withResolvers<undefined>();
  readonly #stopped = new AbortController();
  #http: ServiceHttpServer | undefined;
  #log: KafkaEventLog | undefined;
  #hot: Sink<HotCounts> | undefined;
  #cold: Sink<ColdCounts> | undefined;
  #lag: LagMeter | undefined;
  #lastLogError = '';

  constructor(settings: DataRecorderSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    this.#faults = new FaultLog(logger);
    const { name, environment } = settings.service;
    const status = () => this.getStatus();
    this.#metrics = new RecorderMetrics(status, { service: name, version, environment });
    this.#progress = new ProgressLog(logger, status);
  }

  /** Rejects when the service cannot go on. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get httpPort(): number | undefined {
    return this.#http?.port;
  }

  /** True at any time: nothing in it is kept beside what it describes. */
  getStatus(): RecorderServiceStatus {
    const sinks: SinkStatuses = { hot: this.#hot?.status, cold: this.#cold?.status };
    const lagOf = (sink: SinkName) => this.#lag?.lagOf(sink) ?? NO_LAG;
    return {
      isReady: this.#isReady,
      log: { isOpen: this.#log !== undefined, fault: this.#lag?.fault, lastError: this.#lastLogError },
      sinks,
      lag: { hot: lagOf('timescaledb'), cold: lagOf('s3') },
    };
  }

  /** The log comes first and is waited for; a store that is away keeps nothing else from beginning. */
  async start(stopping: AbortSignal): Promise<void> {
    this.#http = await this.#openHttp();
    this.#logger.info({ http_port: this.#http.port }, `health and metrics on port ${this.#http.port}`);
    this.#log = await this.#openLog(stopping);
    this.#addSinks(this.#log);
    // What ends one ends both: half a recording that looks alive would be noticed too late.
    for (const sink of this.#sinks) sink.run().catch((error: unknown) => this.#ended.reject(error));
    this.#lag = this.#measureLag(this.#log);
    this.#progress.start();
    const { brokers, topics } = this.#settings.kafka;
    const names = this.#sinks.map(({ name }) => name);
    this.#logger.info(
      { cluster: this.#log.id, topics, sinks: names },
      `recording ${topics.join(', ')} of ${brokers.join(', ')} to ${names.join(' and ')}`,
    );
  }

  async stop(atOnce: AbortSignal): Promise<void> {
    this.#stopped.abort();
    this.#progress.stop();
    const stop = new SinkStop(this.#logger, this.#settings.service.shutdownGraceMs, atOnce);
    await Promise.all(this.#sinks.map((sink) => stop.of(sink)));
    // Whatever is still open then survives the end of the process: positions move with what is stored, or not at all.
    await Promise.race([this.#close(), lettingGo(atOnce)]);
  }

  get #isReady(): boolean {
    return this.#sinks.length > 0 && !this.#stopped.signal.aborted;
  }

  get #sinks(): readonly Sink[] {
    return [this.#hot, this.#cold].filter((sink) => sink !== undefined);
  }

  /** Everything is tried, whatever fails before it. */
  async #close(): Promise<void> {
    this.#metrics.close();
    const parts = [this.#log, this.#http].filter((part) => part !== undefined);
    const closing = parts.map(async (part) => await part.close());
    for (const closed of await Promise.allSettled(closing)) {
      if (closed.status === 'rejected') this.#logger.warn({ error: closed.reason as unknown }, 'not closed cleanly');
    }
  }

  #openHttp(): Promise<ServiceHttpServer> {
    const { http, recorder, timescaledb, lake } = this.#settings;
    const names: readonly SinkName[] = [
      ...(timescaledb.enabled ? (['timescaledb'] as const) : []),
      ...(lake.enabled ? (['s3'] as const) : []),
    ];
    return ServiceHttpServer.open({
      port: http.port,
      components: [
        () => consumerHealth(this.getStatus()),
        ...names.map((name) => () => sinkHealth(name, this.getStatus().sinks, recorder.sinkMaxLagMs, Date.now())),
      ],
      isReady: () => this.#isReady,
      metrics: this.#metrics.registry,
      logger: this.#logger,
    });
  }

  #openLog(signal: AbortSignal): Promise<KafkaEventLog> {
    const { kafka } = this.#settings;
    const topics = [...Object.values(EVENT_TOPICS), DEAD_LETTER_TOPIC];
    return KafkaEventLog.open({
      brokers: kafka.brokers,
      clientId: kafka.clientId,
      topics: Object.fromEntries(topics.map((topic) => [topic, kafka.topicPartitions])),
      replication: kafka.topicReplication,
      compression: kafka.compression,
      // A dead letter must be safe before the position moves behind its record.
      acks: 'all',
      requestTimeoutMs: kafka.requestTimeoutMs,
      sessionTimeoutMs: kafka.sessionTimeoutMs,
      signal,
      onFault: (error) => this.#onLogFault(error),
    });
  }

  #addSinks(log: KafkaEventLog): void {
    const { kafka, timescaledb, lake, recorder } = this.#settings;
    const common = {
      log,
      topics: kafka.topics,
      concurrency: recorder.concurrency,
      onRead: (name: SinkName, records: number) => {
        this.#metrics.read(name, records);
        this.#progress.batchRead(name, records);
      },
      onFault: (name: SinkName, error: MarketDataError) => {
        this.#metrics.failed(name);
        this.#faults.tell(name, error);
      },
    };
    if (timescaledb.enabled) {
      this.#hot = new Sink({
        ...common,
        name: 'timescaledb',
        group: `${kafka.groupId}-hot`,
        batchTimeoutMs: recorder.hot.batchTimeoutMs,
        open: (context) =>
          openHot(
            { log, timescaledb, batches: recorder.hot, hooks: this.#hooks('timescaledb'), logger: this.#logger },
            context,
          ),
      });
    }
    if (lake.enabled) {
      const { maxBufferBytes } = recorder.cold;
      const deadLetters = !timescaledb.enabled;
      this.#cold = new Sink({
        ...common,
        name: 's3',
        group: `${kafka.groupId}-cold`,
        batchTimeoutMs: lake.batchTimeoutMs,
        open: (context) => openCold({ log, lake, maxBufferBytes, deadLetters, hooks: this.#hooks('s3') }, context),
      });
    }
  }

  #hooks(name: SinkName): SinkHooks {
    return {
      onStored: (tookMs) => {
        this.#metrics.stored(name, tookMs);
        this.#progress.batchStored(name, tookMs);
      },
      onStoreFailed: () => this.#metrics.storeFailed(name),
    };
  }

  #measureLag(log: KafkaEventLog): LagMeter {
    const lag = new LagMeter({
      log,
      brokers: this.#settings.kafka.brokers,
      sinks: () => this.#sinks.map((sink) => sink.status),
      onFault: (error) => this.#onLogFault(error),
    });
    void lag.run(this.#stopped.signal);
    return lag;
  }

  #onLogFault(error: MarketDataError): void {
    this.#lastLogError = error.message;
    this.#lag?.tell(error);
    this.#metrics.failed('kafka');
    this.#faults.tell('kafka', error);
  }
}

async function lettingGo(atOnce: AbortSignal): Promise<void> {
  if (!atOnce.aborted) await once(atOnce, 'abort');
  await sleep(LETTING_GO_MS);
}
