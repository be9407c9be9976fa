import type { EventLog } from '@aipx/event-log';
import { Ingestion, unknownSymbols } from '@aipx/ingestion';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { Logger } from '@aipx/service';
import type { VenueSimulator } from '@aipx/venue-simulator';
import { openDataFolder } from './data-folder.js';
import { openStores, type EmbeddedStores } from './embedded-stores.js';
import { openSources, planInput, type VenueSource } from './inputs.js';
import type { Options } from './options.js';
import type { Printer } from './printer.js';
import { exitCodeOf, imbalances, type Summary } from './report.js';
import { StatusReporter, summarise } from './status.js';

export interface RunContext {
  /** Relative paths are meant from here. */
  readonly base: string;
  readonly printer: Printer;
  readonly logger: Logger;
  /** Ends the input; what is under way is drained. */
  readonly stop: AbortSignal;
  /** Ends everything, drained or not. */
  readonly atOnce: AbortSignal;
  /** With `--hold`: called after the summary; resolves when the database may go. */
  readonly release: () => Promise<void>;
}

/**
 * One run of the whole pipeline, from its input to the summary.
 *
 * @returns the exit code
 * @throws {MarketDataError} for a setting that cannot be, and for what ends the run before its summary
 */
export async function run(options: Options, context: RunContext): Promise<number> {
  const { base, printer, logger, stop, atOnce } = context;
  const startedAt = performance.now();
  const planned = await planInput(options, base, stop);
  const folder = openDataFolder(options.dataDir, base);
  await using stores = await openStores(folder, options.databasePort, logger, atOnce);
  const sources = await openSources(planned, options, folder, stores.log, atOnce);
  const ingestion = openIngestion(stores.log, sources, logger, atOnce);
  const reporter = new StatusReporter(stores, ingestion, printer);
  printer.ready({
    event: 'ready',
    pid: process.pid,
    log_id: stores.log.id,
    data_dir: folder.path,
    lake_dir: folder.lake,
    database_url: stores.postgres.url,
    venues: Object.fromEntries(
      sources.map(({ plan, input }) => [input.driver.id, { url: input.websocketUrl, symbols: plan.symbols }]),
    ),
  });

  const failed = Promise.race([
    stores.failed,
    ingestion.failed,
    aborted(atOnce),
    ...simulatorsOf(sources).map((each) => each.failed),
  ]);
  failed.catch(() => undefined);
  const ended = new AbortController();
  try {
    reporter.start();
    await ingestion.start();
    void nameUnknownSymbols(sources, logger, ended.signal);
    await Promise.race([inputEnd(options, sources, stop), failed]);
    await Promise.race([drain(ingestion, sources, stores, atOnce), failed]);
  } finally {
    ended.abort();
    reporter.stop();
    await ingestion.disconnect();
    await Promise.all(simulatorsOf(sources).map((simulator) => simulator.stop()));
  }
  const sums = summarise({ stores, ingestion, sources, startedAt });
  const faults = imbalances(sums);
  const { event, ...rest } = sums;
  const summary: Summary = { event, ok: faults.length === 0, ...rest };
  printer.summary(summary, faults);
  if (options.hold) await Promise.race([context.release(), stores.failed]);
  return exitCodeOf(summary);
}

function openIngestion(log: EventLog, sources: readonly VenueSource[], logger: Logger, signal: AbortSignal): Ingestion {
  return new Ingestion({
    log,
    venues: sources.map(({ input }) => input),
    signal,
    hooks: {
      onState: (venue, { from, to, error, retryInMs, connectionId }) => {
        const details = { venue, from, to, connection_id: connectionId, retry_in_ms: retryInMs };
        if (error === undefined || to === 'DISCONNECTED') logger.info(details, `${venue} ${to.toLowerCase()}`);
        else logger.warn({ ...details, code: error.code }, `${venue} ${to.toLowerCase()}: ${error.message}`);
      },
      onSilent: (venue, symbols) => {
        logger.warn(
          { venue, symbols },
          `${venue} sends nothing for ${symbols.join(', ')}: unknown to it, or a quiet market`,
        );
      },
      onFault: (error) => {
        logger.warn({ code: error.code }, `the log takes nothing, trying again: ${error.message}`);
      },
    },
  });
}

async function nameUnknownSymbols(sources: readonly VenueSource[], logger: Logger, signal: AbortSignal): Promise<void> {
  for (const { plan, apiUrl } of sources) {
    const { driver } = plan.venue;
    try {
      const unknown = await unknownSymbols(driver, apiUrl, plan.symbols, signal);
      if (unknown.length > 0) {
        logger.warn(
          { venue: driver.id, symbols: unknown },
          `${driver.id} does not list ${unknown.join(', ')}: nothing will come for it`,
        );
      }
    } catch (cause) {
      if (signal.aborted) return;
      logger.warn({ venue: driver.id }, asMarketDataError(cause, 'CONNECTION_FAILED').message);
    }
  }
}

/** Resolves when the input is over: the recording has ended, the time is up, or somebody says stop. */
async function inputEnd(options: Options, sources: readonly VenueSource[], stop: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const time = options.durationMs === undefined ? [] : [AbortSignal.timeout(options.durationMs)];
  const signal = AbortSignal.any([stop, ended.signal, ...time]);
  if (options.frames !== undefined) {
    // What a recording fails with is told by its simulator's `failed`.
    void Promise.all(simulatorsOf(sources).map((simulator) => simulator.sourceEnded)).then(
      () => {
        ended.abort();
      },
      () => undefined,
    );
  }
  await whenAborted(signal);
}

/** From the sockets to the stores: whatever was sent is read, whatever was read is stored. */
async function drain(
  ingestion: Ingestion,
  sources: readonly VenueSource[],
  stores: EmbeddedStores,
  signal: AbortSignal,
): Promise<void> {
  ingestion.expectEnd();
  const simulators = simulatorsOf(sources);
  await Promise.all(simulators.map((simulator) => simulator.finish()));
  if (simulators.length < sources.length) await ingestion.disconnect(); // the real venues never end
  await ingestion.drain();
  await stores.drain(signal);
}

function simulatorsOf(sources: readonly VenueSource[]): readonly VenueSimulator[] {
  return sources.flatMap(({ simulator }) => (simulator === undefined ? [] : [simulator]));
}

async function aborted(signal: AbortSignal): Promise<never> {
  await whenAborted(signal);
  throw new MarketDataError(
    'STORE_UNAVAILABLE',
    'stopped before everything was stored; the next run on this folder stores the rest',
  );
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      { once: true },
    );
  });
}
