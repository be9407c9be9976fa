import { asMarketDataError, type MarketDataError } from '@aipx/market-model';
import { backOff } from './backoff.js';
import type { RecorderFault } from './recorder.js';

/** Tries again what another try may mend, and knows since when it has been doing so. */
export class Outages {
  readonly #onFault: (fault: MarketDataError) => void;
  readonly #lasting = new Map<Outage, RecorderFault>();

  /** @param onFault called with each failure */
  constructor(onFault: (fault: MarketDataError) => void) {
    this.#onFault = onFault;
  }

  /** The one that has lasted longest. */
  get fault(): RecorderFault | undefined {
    return this.#lasting.values().next().value;
  }

  /** For the tries of one thing. Whoever begins one ends it, whatever became of the thing. */
  begin(): Outage {
    return new Outage((outage, error) => {
      if (error === undefined) {
        this.#lasting.delete(outage);
        return;
      }
      const since = this.#lasting.get(outage)?.since ?? Date.now();
      this.#lasting.set(outage, { since, error, failures: outage.failures });
      this.#onFault(error);
    });
  }

  /**
   * Tries until the store or the log answers.
   *
   * @throws the signal's reason, or what no new try can mend
   */
  async waitOut<Result>(action: (signal: AbortSignal) => Promise<Result>, signal: AbortSignal): Promise<Result> {
    const outage = this.begin();
    try {
      for (;;) {
        signal.throwIfAborted();
        try {
          return await action(signal);
        } catch (cause) {
          signal.throwIfAborted();
          const error = asMarketDataError(cause, 'STORE_UNAVAILABLE');
          if (!error.retryable) throw cause;
          await outage.failed(error, signal);
        }
      }
    } finally {
      outage.end();
    }
  }
}

type Report = (outage: Outage, error: MarketDataError | undefined) => void;

export class Outage {
  readonly #report: Report;
  #failures = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  /** Reports a failure, and waits longer after each. Rejects with the signal's reason when it aborts. */
  async failed(error: MarketDataError, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    this.#report(this, error);
    await backOff(this.#failures - 1, signal);
  }

  end(): void {
    this.#report(this, undefined);
  }
}
