import type { EventLog } from '@aipx/event-log';
import { Ingestion, unknownSymbols } from '@aipx/ingestion';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { RefusalLog, type Logger } from '@aipx/service';
import { openDataFolder, type DataFolder } from './data-folder.js';
import { openStores, type EmbeddedStores } from './embedded-stores.js';
import { foundText } from './found.js';
import { planInput, type InputPlan } from './inputs.js';
import type { Options } from './options.js';
import type { Printer } from './printer.js';
import { exitCodeOf, imbalances, type Ready, type Summary, type VenueReady } from './report.js';
import { openSources, type Sources } from './sources.js';
import { StatusReporter, summarise } from './status.js';

export interface RunContext {
  /** Relative paths are meant from here. */
  readonly base: string;
  readonly printer: Printer;
  readonly logger: Logger;
  /** Told of every secret, so that no log shows it. */
  readonly keepSecret: (secret: string) => void;
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
  for (const note of planned.notes) logger.warn(note);
  const folder = openDataFolder(options.dataDir, base);
  await using stores = await openStores(folder, options.databasePort, logger, atOnce);
  const found = await foundText(stores);
  if (found !== undefined) logger.info({ data_dir: folder.path }, found);
  const sums = await feed({ planned, options, folder, stores, startedAt }, context);
  const faults = imbalances(sums);
  const { event, ...rest } = sums;
  const summary: Summary = { event, ok: faults.length === 0, ...rest };
  printer.summary(summary, faults);
  if (options.hold) await Promise.race([context.release(), stores.failed]);
  return exitCodeOf(summary);
}

interface Feeding {
  readonly planned: InputPlan;
  readonly options: Options;
  readonly folder: DataFolder;
  readonly stores: EmbeddedStores;
  readonly startedAt: number;
}

/** Takes the input to the stores, all of it, and gives back what the venues have lent. */
async function feed(
  { planned, options, folder, stores, startedAt }: Feeding,
  { printer, logger, keepSecret, stop, atOnce }: RunContext,
): Promise<Omit<Summary, 'ok'>> {
  const onFault = ({ code, message }: MarketDataError) => {
    logger.warn({ code }, message);
  };
  const { log } = stores;
  await using sources = await openSources(planned, options, { folder, log, keepSecret, onFault, signal: atOnce });
  if (planned.live !== undefined) nameNotes(sources, logger);
  const halts = new Map<string, number>();
  const refusals = new RefusalLog(logger);
  const ingestion = openIngestion({ log, sources, logger, refusals, halts, signal: atOnce });
  const reporter = new StatusReporter(stores, ingestion, sources.all, printer);
  printer.ready(readyReport(planned, sources, folder, stores));
  const failed = Promise.race([
    stores.failed,
    ingestion.failed,
    aborted(atOnce),
    ...sources.simulators.map((each) => each.failed),
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
    refusals.flush();
  }
  return summarise({ stores, ingestion, sources: sources.all, halts, startedAt });
}

function readyReport(
  { live, recording }: InputPlan,
  { all }: Sources,
  folder: DataFolder,
  stores: EmbeddedStores,
): Ready {
  const source = live !== undefined ? 'live' : recording === undefined ? 'market' : 'frames';
  const venues = all.map(({ plan, open, inputs }): [string, VenueReady] => {
    return [open.driver.id, { url: open.websocketUrl, symbols: plan.symbols, connections: inputs.length, source }];
  });
  return {
    event: 'ready',
    pid: process.pid,
    log_id: stores.log.id,
    data_dir: folder.path,
    lake_dir: folder.lake,
    database_url: stores.postgres.url,
    venues: Object.fromEntries(venues),
  };
}

function nameNotes({ all }: Sources, logger: Logger): void {
  for (const { open } of all) for (const note of open.notes) logger.info({ venue: open.driver.id }, note);
}

interface Ingesting {
  readonly log: EventLog;
  readonly sources: Sources;
  readonly logger: Logger;
  readonly refusals: RefusalLog;
  /** Counted here, by venue id. */
  readonly halts: Map<string, number>;
  readonly signal: AbortSignal;
}

function openIngestion({ log, sources, logger, refusals, halts, signal }: Ingesting): Ingestion {
  return new Ingestion({
    log,
    venues: sources.all.flatMap(({ inputs }) => inputs),
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
      onRefused: (...refusal) => {
        refusals.tell(...refusal);
      },
      onUnanswered: (venue, { symbol, channel }, error) => {
        const text = `${venue} does not say whether it sends ${symbol} (${channel}): ${error.message}`;
        logger.warn({ venue, symbol, code: error.code }, text);
      },
      onFull: (venue, error) => logger.error({ venue, code: error.code }, `${venue}: ${error.message}`),
      onTrading: (venue, news) => {
        for (const { symbol, isHalted, detail } of news) {
          logger.info({ venue, symbol }, `${venue} ${symbol}: ${detail}`);
          if (isHalted === true) halts.set(venue, (halts.get(venue) ?? 0) + 1);
        }
      },
      onNotice: (venue, notice) => logger.warn({ venue }, `${venue}: ${notice}`),
      onFault: (error) => {
        logger.warn({ code: error.code }, `the log takes nothing, trying again: ${error.message}`);
      },
    },
  });
}

async function nameUnknownSymbols({ all }: Sources, logger: Logger, signal: AbortSignal): Promise<void> {
  for (const { plan, open } of all) {
    const { driver } = open;
    try {
      const unknown = await unknownSymbols(driver, open.apiUrl, plan.symbols, signal);
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
async function inputEnd(options: Options, { simulators }: Sources, stop: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const time = options.durationMs === undefined ? [] : [AbortSignal.timeout(options.durationMs)];
  const signal = AbortSignal.any([stop, ended.signal, ...time]);
  if (options.frames !== undefined) {
    // What a recording fails with is told by its simulator's `failed`.
    void Promise.all(simulators.map((simulator) => simulator.sourceEnded)).then(
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
  { all, simulators }: Sources,
  stores: EmbeddedStores,
  signal: AbortSignal,
): Promise<void> {
  ingestion.expectEnd();
  await Promise.all(simulators.map((simulator) => simulator.finish()));
  if (simulators.length < all.length) await ingestion.disconnect(); // the real venues never end
  await ingestion.drain();
  await stores.drain(signal);
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
