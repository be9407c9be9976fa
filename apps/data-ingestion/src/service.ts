import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEAD_LETTER_TOPIC } from '@aipx/event-log/dead-letter';
import { KafkaEventLog } from '@aipx/event-log/kafka';
import { Ingestion, SpillQueue, unknownSymbols, type IngestionHooks, type IngestionStatus } from '@aipx/ingestion';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import {
  FaultLog,
  RefusalLog,
  ServiceHttpServer,
  type HealthComponent,
  type Log,
  type Logger,
  type ManagedService,
} from '@aipx/service';
import { wallClock } from '@aipx/websocket-client';
import { bufferHealth, logHealth, venueHealth } from './health.js';
import { IngestionMetrics } from './metrics.js';
import { OpenVenues } from './open-venues.js';
import { OutageLog } from './outage-log.js';
import { ProgressLog } from './progress-log.js';
import type { IngestionSettings, VenueMarkets } from './settings.js';
import { version } from './version.js';

/** A log that fails already is given so long, ms, to take what waits; the rest goes to the disk. */
const PATIENCE_WITH_FAILING_LOG_MS = 2_000;
/** After a venue's list of codes could not be had, it is asked for again so much later, ms. */
const LIST_AGAIN_MS = 60_000;
const TICK_TOPICS = [EVENT_TOPICS.tick, EVENT_TOPICS.gap, DEAD_LETTER_TOPIC];
const BOOK_TOPICS = [EVENT_TOPICS.orderbook];
/** Of one send. The broker's own bound is 1 MiB by default, of what is compressed. */
const BATCH = { maxBatchRecords: 2_000, maxBatchBytes: 1024 * 1024 };

export interface ServiceStatus {
  readonly isReady: boolean;
  /** Absent until the log is open. */
  readonly ingestion: IngestionStatus | undefined;
}

/** Venue sockets to Kafka, as one process. Opens the log before it connects to venues, and closes them the other way round. */
export class IngestionService implements ManagedService {
  readonly #settings: IngestionSettings;
  readonly #logger: Logger;
  readonly #keepSecret: Log['keepSecret'];
  readonly #faults: FaultLog;
  readonly #refusals: RefusalLog;
  readonly #metrics: IngestionMetrics;
  readonly #progress: ProgressLog;
  readonly #outages: OutageLog;
  readonly #ended = Promise.withResolvers<undefined>();
  readonly #stopped = new AbortController();
  /** Codes that a venue does not list. */
  readonly #unknown = new Map<string, readonly string[]>();
  /** What ended a venue's connections for good. */
  readonly #venueFailures = new Set<unknown>();
  #http: ServiceHttpServer | undefined;
  #spill: SpillQueue | undefined;
  #venues: OpenVenues | undefined;
  #leaving: Promise<void> | undefined;
  #log: KafkaEventLog | undefined;
  #ingestion: Ingestion | undefined;
  #lastLogError = '';

  constructor(settings: IngestionSettings, { logger, keepSecret }: Pick<Log, 'logger' | 'keepSecret'>) {
    this.#settings = settings;
    this.#logger = logger;
    this.#keepSecret = keepSecret;
    this.#faults = new FaultLog(logger);
    this.#refusals = new RefusalLog(logger);
    const { name, environment } = settings.service;
    const status = () => this.#ingestion?.status();
    this.#metrics = new IngestionMetrics(status, { service: name, version, environment });
    this.#progress = new ProgressLog(logger, status);
    this.#outages = new OutageLog(logger, status);
  }

  /** Rejects when the service cannot go on. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** True at any time: nothing in it is kept beside what it describes. */
  getStatus(): ServiceStatus {
    return { isReady: this.#isReady, ingestion: this.#ingestion?.status() };
  }

  get httpPort(): number | undefined {
    return this.#http?.port;
  }

  async start(stopping: AbortSignal): Promise<void> {
    this.#http = await this.#openHttp();
    this.#logger.info({ http_port: this.#http.port }, `health and metrics on port ${this.#http.port}`);
    this.#spill = this.#openSpill();
    this.#venues = await OpenVenues.open(this.#settings, {
      logger: this.#logger,
      keepSecret: this.#keepSecret,
      onFault: (venue, error) => this.#faults.tell(venue, error),
    });
    this.#metrics.addVenues(this.#venues.metrics);
    this.#log = await this.#openLog(stopping);
    const ingestion = this.#newIngestion(this.#log, this.#venues);
    ingestion.failed.catch((error: unknown) => {
      this.#ended.reject(this.#venueFailures.has(error) ? noVenueLeft(error) : error);
    });
    await ingestion.start(stopping);
    this.#ingestion = ingestion;
    this.#progress.start();
    this.#outages.start();
    this.#logger.info(
      { cluster: this.#log.id, markets: this.#markets() },
      `publishing ${this.#markets().length} markets to ${this.#settings.kafka.brokers.join(', ')}`,
    );
    for (const market of this.#settings.markets) void this.#nameUnknownSymbols(market);
  }

  async stop(atOnce: AbortSignal): Promise<void> {
    this.#stopped.abort();
    this.#progress.stop();
    this.#outages.stop();
    this.#refusals.flush();
    try {
      if (this.#ingestion === undefined) this.#leaving = this.#venues?.close();
      else await this.#drain(this.#ingestion, atOnce);
    } finally {
      await this.#close();
    }
  }

  /** Everything is tried, whatever fails before it. */
  async #close(): Promise<void> {
    this.#metrics.close();
    const parts = [this.#log, this.#http, this.#spill].filter((part) => part !== undefined);
    const closing = parts.map(async (part) => await part.close());
    const failed = (await Promise.allSettled([this.#leaving, ...closing])).find(({ status }) => status === 'rejected');
    if (failed !== undefined)
      this.#logger.warn({ error: (failed as PromiseRejectedResult).reason }, 'not closed cleanly');
  }

  get #isReady(): boolean {
    return this.#ingestion !== undefined && !this.#stopped.signal.aborted;
  }

  async #drain(ingestion: Ingestion, atOnce: AbortSignal): Promise<void> {
    const disconnected = ingestion.disconnect().then(() => {
      // Whoever waits for these sessions has them while this process still sends what it received.
      this.#leaving = this.#venues?.close();
    });
    await Promise.race([disconnected, aborted(atOnce)]);
    const isFailing = ingestion.status().publisher.consecutiveErrors > 0;
    const patience = isFailing ? [AbortSignal.timeout(PATIENCE_WITH_FAILING_LOG_MS)] : [];
    await ingestion.drain(AbortSignal.any([atOnce, ...patience]));
    const { counts, spill, lostAtEnd } = ingestion.status().publisher;
    const onDisk = spill?.waiting ?? 0;
    this.#logger.info(
      { ...counts, on_disk: onDisk },
      `published ${counts.published} messages and ${counts.gaps} gaps` +
        (onDisk === 0 ? '' : `; ${onDisk} records wait on the disk for the next start`),
    );
    if (lostAtEnd > 0) {
      const way = spill === undefined ? 'there is no SPILL_DIR to keep them' : 'SPILL_DIR did not take them';
      throw new MarketDataError('PUBLISH_FAILED', `${lostAtEnd} records waited for Kafka and are lost: ${way}`);
    }
  }

  #openHttp(): Promise<ServiceHttpServer> {
    const { markets, http } = this.#settings;
    return ServiceHttpServer.open({
      port: http.port,
      components: [
        ...markets.map((market) => () => this.#venueHealth(market)),
        () => logHealth(this.#ingestion?.status(), this.#lastLogError),
        () => bufferHealth(this.#ingestion?.status(), wallClock()),
      ],
      isReady: () => this.#isReady,
      metrics: this.#metrics.registry,
      logger: this.#logger,
    });
  }

  #venueHealth({ venue }: VenueMarkets): HealthComponent {
    const { id } = venue.driver;
    const open = this.#venues?.get(id);
    const looked = {
      driver: open?.driver ?? venue.driver,
      status: this.#ingestion?.status().venues[id],
      access: open?.status(),
      unknown: this.#unknown.get(id) ?? [],
    };
    return venueHealth(looked, wallClock());
  }

  #openSpill(): SpillQueue | undefined {
    const { spillDir, spillMaxBytes } = this.#settings.buffer;
    if (spillDir === undefined) return undefined;
    const onDamage = (error: MarketDataError) => this.#logger.error({ code: error.code, error }, error.message);
    const spill = SpillQueue.open({ folder: spillDir, maxBytes: spillMaxBytes, onDamage });
    if (!spill.isEmpty)
      this.#logger.info(`${spill.waiting} records of an earlier run wait in ${spillDir} and go first`);
    return spill;
  }

  #openLog(signal: AbortSignal): Promise<KafkaEventLog> {
    const { kafka } = this.#settings;
    return KafkaEventLog.open({
      brokers: kafka.brokers,
      clientId: kafka.clientId,
      topics: Object.fromEntries([...TICK_TOPICS, ...BOOK_TOPICS].map((topic) => [topic, kafka.topicPartitions])),
      replication: kafka.topicReplication,
      producers: [TICK_TOPICS, BOOK_TOPICS],
      compression: kafka.compression,
      acks: kafka.acks,
      requestTimeoutMs: kafka.requestTimeoutMs,
      signal,
      onFault: (error) => this.#logFault(error),
    });
  }

  #newIngestion(log: KafkaEventLog, venues: OpenVenues): Ingestion {
    const { buffer, kafka } = this.#settings;
    const { maxMessages, maxBytes, bookTtlMs, tradeTtlMs, priority, gapLookbackMs } = buffer;
    return new Ingestion({
      log,
      venues: venues.inputs,
      signal: new AbortController().signal,
      gapLookbackMs,
      buffer: {
        limits: { ...BATCH, maxMessages, maxBytes, bookTtlMs, tradeTtlMs, priority, lingerMs: kafka.lingerMs },
        ...(this.#spill && { spill: this.#spill }),
        maxHopelessErrors: kafka.maxConsecutiveErrors,
      },
      hooks: this.#hooks(),
    });
  }

  #hooks(): IngestionHooks {
    return {
      onState: (venue, { from, to, error, retryInMs, connectionId }) => {
        const details = { venue, from, to, connection_id: connectionId, retry_in_ms: retryInMs };
        if (error === undefined) this.#logger.info(details, `${venue} ${to.toLowerCase()}`);
        else this.#logger.warn({ ...details, code: error.code }, `${venue} ${to.toLowerCase()}: ${error.message}`);
      },
      onSilent: (venue, symbols) =>
        this.#logger.warn({ venue, symbols }, `${venue} sends nothing for ${symbols.join(', ')}`),
      onRefused: (...refusal) => this.#refusals.tell(...refusal),
      onUnanswered: (venue, { symbol, channel }, error, retryInMs) =>
        this.#logger.warn(
          { venue, symbol, code: error.code, retry_in_ms: retryInMs },
          `${venue} does not say whether it sends ${symbol} (${channel}): ${error.message}`,
        ),
      onFull: (venue, error) => this.#logger.error({ venue, code: error.code }, `${venue}: ${error.message}`),
      onStale: (venue, streams) => {
        const names = streams.map(({ symbol, channel }) => `${symbol} (${channel})`).join(', ');
        this.#logger.warn({ venue }, `${venue} has gone silent for ${names} while others go on`);
      },
      onTrading: (venue, news) => {
        for (const { symbol, detail } of news) this.#logger.info({ venue, symbol }, `${venue} ${symbol}: ${detail}`);
      },
      onNotice: (venue, notice) => this.#logger.warn({ venue }, `${venue}: ${notice}`),
      onVenueFailed: (venue, error, { symbols, isLast }) => {
        this.#venueFailures.add(error);
        const what = isLast ? venue : `the connection to ${venue} for ${symbols.join(', ')}`;
        this.#logger.error(
          { venue, symbols, code: error.code, error },
          `${what} is given up for good: ${error.message}`,
        );
      },
      onFault: (error) => this.#logFault(error),
      onProcessed: (receivedAt) => this.#metrics.processed(receivedAt),
      onPublished: (records, tookMs) => {
        this.#metrics.acknowledged(records, tookMs);
        this.#progress.published(records.filter(({ stream }) => stream !== undefined).length);
      },
    };
  }

  #logFault(error: MarketDataError): void {
    const isOfDisk = error.code.startsWith('STORE_') && error.context['topic'] === undefined;
    if (!isOfDisk) this.#lastLogError = error.message;
    this.#faults.tell(isOfDisk ? 'spill' : 'kafka', error);
  }

  /** Asks each venue for its list of codes, until it answers. */
  async #nameUnknownSymbols({ venue, symbols }: VenueMarkets): Promise<void> {
    const { id } = venue.driver;
    const { apiUrl = '' } = this.#venues?.get(id) ?? {};
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const unknown = await unknownSymbols(venue.driver, apiUrl, symbols, signal);
        this.#unknown.set(id, unknown);
        if (unknown.length > 0) {
          this.#logger.warn(
            { venue: id, symbols: unknown },
            `${id} does not list ${unknown.join(', ')}: nothing will come for it`,
          );
        }
        return;
      } catch (cause) {
        if (signal.aborted) return;
        this.#faults.tell(id, asMarketDataError(cause, 'CONNECTION_FAILED'));
        await sleep(LIST_AGAIN_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  #markets(): readonly string[] {
    return this.#settings.markets.flatMap(({ venue, symbols }) =>
      symbols.map((symbol) => `${venue.driver.id}:${symbol}`),
    );
  }
}

/** A venue's failure ends the service only when it was the last one. */
function noVenueLeft(cause: unknown): MarketDataError {
  const { message } = asMarketDataError(cause, 'CONNECTION_FAILED');
  return new MarketDataError('CONNECTION_NO_VENUE_LEFT', `no venue is left: ${message}`, { cause });
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
