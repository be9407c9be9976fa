import { join } from 'node:path';
import { upbitSimulator } from '@aipx/venue-upbit/simulator';
import { Child } from './child.ts';

export interface VenueTask {
  /** Frames a second. */
  readonly rate: number;
  readonly symbols: readonly string[];
}

const SCRIPT = join(import.meta.dirname, 'venue-process.ts');
const MARKETS = 100;
/** The books of its other markets are thinner than what is asked for. */
export const SYMBOLS = upbitSimulator.symbols.filter((symbol) => symbol.startsWith('KRW-')).slice(0, MARKETS);

/** A simulated Upbit with a hundred markets, trades and books. */
export class Venue implements AsyncDisposable {
  readonly pid: number;
  /** Of the service, that lead here. */
  readonly settings: Readonly<Record<string, string>>;
  readonly #child: Child;
  readonly #signal: AbortSignal;

  private constructor(child: Child, settings: Readonly<Record<string, string>>, signal: AbortSignal) {
    this.pid = child.pid;
    this.settings = settings;
    this.#child = child;
    this.#signal = signal;
  }

  /** @param rate frames a second */
  static async start(rate: number, signal: AbortSignal): Promise<Venue> {
    const task: VenueTask = { rate, symbols: SYMBOLS };
    const child = Child.start(SCRIPT, task, []);
    try {
      const { websocketUrl, apiUrl } = await child.says<{ websocketUrl: string; apiUrl: string }>(signal);
      const settings = {
        MARKETS: SYMBOLS.map((symbol) => `upbit:${symbol}`).join(','),
        UPBIT_WEBSOCKET_URL: websocketUrl,
        UPBIT_API_URL: apiUrl,
      };
      return new Venue(child, settings, signal);
    } catch (cause) {
      await child[Symbol.asyncDispose]();
      throw cause;
    }
  }

  /** Data frames handed to the socket so far. */
  async sent(): Promise<number> {
    return await this.#child.ask('sent', this.#signal);
  }

  /** The client has every frame, and the connection is closed. @returns all frames that were sent */
  async finish(): Promise<number> {
    return await this.#child.ask('finish', this.#signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
