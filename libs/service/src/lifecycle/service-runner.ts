import { MarketDataError } from '@aipx/market-model';
import { durationText } from '../duration.js';
import type { Logger } from '../logging/logger.js';
import { EXIT_CODES, exitCodeOf, type ExitCode } from './exit-code.js';
import { onStopSignals } from './stop-signals.js';

/** What an app is to the runner: something that starts, may end by itself, and stops. */
export interface ManagedService {
  /**
   * Opens everything. What was opened before a failure is closed by `stop`.
   *
   * @param stopping aborts when somebody asks to stop before the start is done
   */
  start(stopping: AbortSignal): Promise<void>;
  /** Settles when the service ends by itself: rejects with the fault, resolves when its work is done. */
  readonly ended: Promise<void>;
  /**
   * Drains and closes everything. Called once, when `start` has settled, also after a start that failed.
   *
   * @param atOnce aborts when the time is nearly up: what cannot be finished is put where it survives, or let go
   * @throws what makes the stop unclean: something was lost
   */
  stop(atOnce: AbortSignal): Promise<void>;
}

export interface ServiceRunnerOptions {
  readonly logger: Logger;
  /** Longest time, ms, from the wish to stop to the end. */
  readonly graceMs: number;
}

/** Of the grace this much (ms) is kept for letting go, after the service was told `atOnce`. */
const LETTING_GO_MS = 1_000;
const HOUR_MS = 3_600_000;

/**
 * One life of a service: start, wait for a signal, a fault or its end, stop within the grace.
 *
 * The first SIGTERM or SIGINT drains, a second one ends it at once. What nobody caught is logged with its code, then the
 * service is stopped, and the exit code is 1.
 */
export class ServiceRunner {
  readonly #service: ManagedService;
  readonly #logger: Logger;
  readonly #graceMs: number;
  readonly #stopping = new AbortController();
  readonly #atOnce = new AbortController();
  readonly #uncaught = Promise.withResolvers<never>();
  #starting: Promise<void> | undefined;
  #stopped: Promise<ExitCode> | undefined;
  #hasUncaught = false;

  constructor(service: ManagedService, { logger, graceMs }: ServiceRunnerOptions) {
    this.#service = service;
    this.#logger = logger;
    this.#graceMs = graceMs;
    // Whoever waits for these hears of it; a fault that comes when nobody does is not one more fault.
    this.#uncaught.promise.catch(() => undefined);
    service.ended.catch(() => undefined);
  }

  /** @throws {MarketDataError} `CONFIG_ALREADY_RUNNING` the second time; else what the service's `start` throws */
  async start(): Promise<void> {
    if (this.#starting !== undefined) {
      throw new MarketDataError('CONFIG_ALREADY_RUNNING', 'the service has been started already; a new one can be');
    }
    this.#starting = this.#service.start(this.#stopping.signal);
    await this.#starting;
  }

  /**
   * Stops within the grace, whatever the service does. Again and again is harmless: all callers wait for the one stop.
   *
   * @returns 0 after a clean stop, 1 when it failed or took too long
   */
  stop(): Promise<ExitCode> {
    this.#stopped ??= this.#stopInTime();
    return this.#stopped;
  }

  /** The whole life. Never rejects: what went wrong is logged. @returns the exit code */
  async run(): Promise<ExitCode> {
    const signals = onStopSignals();
    signals.stop.addEventListener('abort', () => {
      this.#logger.info('stopping on a signal');
      this.#stopping.abort();
    });
    signals.atOnce.addEventListener('abort', () => {
      this.#logger.warn('stopping at once on a second signal');
      this.#atOnce.abort();
    });
    process.on('uncaughtException', this.#onUncaught);
    // Neither signals nor promises keep a process up while its parts have nothing open, standing by for instance.
    const alive = setInterval(() => undefined, HOUR_MS);
    try {
      const lived = await this.#live();
      const stopped = await this.stop();
      if (this.#hasUncaught) return EXIT_CODES.fault;
      return lived === EXIT_CODES.clean ? stopped : lived;
    } finally {
      clearInterval(alive);
      process.off('uncaughtException', this.#onUncaught);
      signals.dispose();
    }
  }

  async #live(): Promise<ExitCode> {
    const stopping = aborted(this.#stopping.signal);
    try {
      await Promise.race([this.start(), stopping, this.#uncaught.promise]);
      await Promise.race([this.#service.ended, stopping, this.#uncaught.promise]);
      return EXIT_CODES.clean;
    } catch (error) {
      if (!this.#hasUncaught) this.#logFault(error, 'the service ends');
      return exitCodeOf(error);
    }
  }

  async #stopInTime(): Promise<ExitCode> {
    const lettingGoMs = Math.min(LETTING_GO_MS, this.#graceMs / 2);
    const overdue = Promise.withResolvers<'overdue'>();
    const timers: NodeJS.Timeout[] = [];
    const atOnce = this.#atOnce.signal;
    void aborted(atOnce).then(() => timers.push(setTimeout(overdue.resolve, lettingGoMs, 'overdue')));
    timers.push(
      setTimeout(() => {
        this.#atOnce.abort();
      }, this.#graceMs - lettingGoMs),
    );
    this.#stopping.abort();
    try {
      if ((await Promise.race([this.#stopService(atOnce), overdue.promise])) === 'stopped') return EXIT_CODES.clean;
      this.#logger.fatal(`the service did not stop within ${durationText(this.#graceMs)} and is ended by force`);
    } catch (error) {
      this.#logFault(error, 'the stop was not clean');
    } finally {
      for (const timer of timers) clearTimeout(timer);
    }
    return EXIT_CODES.fault;
  }

  async #stopService(atOnce: AbortSignal): Promise<'stopped'> {
    // Whether the start failed is known to whoever started; what it opened is closed in any case.
    await this.#starting?.catch(() => undefined);
    await this.#service.stop(atOnce);
    return 'stopped';
  }

  /** The first ends the service; one that comes while it stops cuts the stop short. */
  readonly #onUncaught = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin) => {
    this.#logFault(error, origin === 'unhandledRejection' ? 'a rejection that nobody handled' : 'nobody caught this');
    this.#hasUncaught = true;
    if (this.#stopped !== undefined) this.#atOnce.abort();
    this.#uncaught.reject(new Error('nobody caught an error', { cause: error }));
  };

  #logFault(error: unknown, what: string): void {
    const code = (error as { readonly code?: unknown } | null | undefined)?.code ?? 'UNEXPECTED';
    const message = error instanceof Error ? error.message : String(error);
    this.#logger.fatal({ code, error }, `${what}: ${message}`);
  }
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    const onAbort = () => {
      resolve('aborted');
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
