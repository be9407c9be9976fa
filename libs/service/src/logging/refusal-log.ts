import type { MarketDataError } from '@aipx/market-model';
import type { Logger } from './logger.js';

const TOGETHER_MS = 1_000;

interface Refusal {
  readonly venue: string;
  readonly symbol: string;
  readonly channels: Set<string>;
  readonly error: MarketDataError;
  readonly retryInMs: number | undefined;
}

/** Tells of streams that a venue refuses: those of one symbol that it refuses alike within a second are told of together. */
export class RefusalLog {
  readonly #logger: Logger;
  /** One entry a symbol and code: bounded. */
  readonly #waiting = new Map<string, Refusal>();
  #timer: NodeJS.Timeout | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param retryInMs absent: it is not asked for again on this connection */
  tell(
    venue: string,
    { symbol, channel }: { readonly symbol: string; readonly channel: string },
    error: MarketDataError,
    retryInMs?: number,
  ): void {
    const kind = [venue, symbol, error.code, String(error.context['code'])].join(' ');
    const waiting = this.#waiting.get(kind);
    if (waiting !== undefined) return void waiting.channels.add(channel);
    this.#waiting.set(kind, { venue, symbol, channels: new Set([channel]), error, retryInMs });
    this.#timer ??= setTimeout(() => this.flush(), TOGETHER_MS).unref();
  }

  /** What waits is told now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { venue, symbol, channels, error, retryInMs } of this.#waiting.values()) {
      this.#logger.warn(
        { venue, symbol, code: error.code, retry_in_ms: retryInMs },
        `${venue} does not send ${symbol} (${[...channels].join(', ')}): ${error.message}`,
      );
    }
    this.#waiting.clear();
  }
}
