import { seededRandom } from '@aipx/venue/simulation';
import { Audience } from './audience.js';
import { KeptCounters } from './counters.js';
import { Delivery } from './delivery.js';
import { Faults, type Fault } from './faults.js';
import { FramesSource } from './frames-source.js';
import { Journal } from './journal.js';
import { MarketSource } from './market-source.js';
import { SimulatorServer } from './server.js';
import { checkSettings, type VenueSimulatorOptions } from './settings.js';
import { TradeStamps } from './trade-stamps.js';

export interface VenueSimulator {
  readonly websocketUrl: string;
  readonly apiUrl: string;
  /** Data frames handed to sockets so far. */
  readonly sent: number;
  /** Records of the market in them, repeated ones each time; absent for a recording, which nobody has read. */
  readonly sentRecords: number | undefined;
  /** Recorded frames that are not market data and were left out so far. */
  readonly controlFrames: number;
  /** Resolves when the recording is exhausted and all of it was handed to sockets; pending for a market. Rejects as `failed` does. */
  readonly sourceEnded: Promise<void>;
  /** Rejects when the source or the journal fails; never resolves. */
  readonly failed: Promise<never>;
  inject(fault: Fault): void;
  /**
   * Stops the source and closes every connection with 1000 after its last frame, so that a client that reads has
   * everything before the close. Waits for clients that read slowly; `stop` ends the waiting.
   */
  finish(): Promise<void>;
  /** Ends everything at once. */
  stop(): Promise<void>;
}

/**
 * Starts a venue on this machine: its socket, its REST calls, and a source of market data behind them.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` for a port in use, a journal that cannot be written or a number out of
 * range; `CONFIG_SYMBOL` for a code that the simulated market does not have
 */
export async function startVenueSimulator(options: VenueSimulatorOptions): Promise<VenueSimulator> {
  checkSettings(options);
  options.signal.throwIfAborted();
  const { host = '127.0.0.1', port = 0 } = options;
  const simulator = new RunningSimulator(
    options,
    options.journal === undefined ? undefined : await Journal.open(options.journal),
  );
  await simulator.start(host, port);
  return simulator;
}

class RunningSimulator implements VenueSimulator {
  websocketUrl = '';
  apiUrl = '';
  readonly sourceEnded: Promise<void>;
  readonly failed: Promise<never>;
  readonly #options: VenueSimulatorOptions;
  readonly #audience = new Audience();
  readonly #journal: Journal | undefined;
  readonly #delivery: Delivery;
  readonly #faults: Faults;
  readonly #server: SimulatorServer;
  readonly #stamps: TradeStamps | undefined;
  readonly #counters: KeptCounters | undefined;
  readonly #source: MarketSource | FramesSource;
  readonly #frames: FramesSource | undefined;
  readonly #sourceStop = new AbortController();
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #failure: PromiseWithResolvers<never> = Promise.withResolvers();
  #running: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: VenueSimulatorOptions, journal: Journal | undefined) {
    const { venue, source } = options;
    this.#options = options;
    this.#journal = journal;
    this.#delivery = new Delivery(this.#audience, journal);
    this.#faults = new Faults(venue, this.#audience, this.#delivery);
    this.#server = new SimulatorServer({
      venue,
      listed: new Set(source.symbols ?? venue.symbols),
      audience: this.#audience,
      faults: this.#faults,
      faultsEndpoint: options.faultsEndpoint ?? false,
      idleLimitMs: options.idleLimitMs ?? venue.idleLimitMs,
      onConnection: options.onConnection ?? (() => undefined),
    });
    this.sourceEnded = this.#ended.promise;
    this.failed = this.#failure.promise;
    // Whoever does not look at them must not fall over them.
    this.sourceEnded.catch(() => undefined);
    this.failed.catch(() => undefined);
    const audience = this.#audience;
    const delivery = this.#delivery;
    if (source.kind === 'frames') {
      const { path, speed, from = 0 } = source;
      this.#source = this.#frames = new FramesSource({ path, speed, from, venue, audience, delivery });
    } else {
      const { seed, rate, tradeShare = 0.6, idMarkFile, countersFile } = source;
      const stamps = (this.#stamps = new TradeStamps({ now: Date.now, markFile: idMarkFile }));
      const counters = (this.#counters = countersFile === undefined ? undefined : new KeptCounters(countersFile));
      const market = venue.market({
        seed,
        now: Date.now,
        nextStamp: () => stamps.next(),
        ...(counters && { counters }),
      });
      const random = seededRandom(seed, 'streams');
      this.#source = new MarketSource({ market, random, rate, tradeShare, audience, delivery });
    }
  }

  get sent(): number {
    return this.#delivery.sent;
  }

  get sentRecords(): number | undefined {
    return this.#frames === undefined ? this.#delivery.sentRecords : undefined;
  }

  get controlFrames(): number {
    return this.#frames?.controlFrames ?? 0;
  }

  async start(host: string, port: number): Promise<void> {
    const { venue, signal } = this.#options;
    try {
      const address = `${host}:${await this.#server.listen(host, port)}`;
      this.websocketUrl = `ws://${address}${venue.websocketPath}`;
      this.apiUrl = `http://${address}${venue.apiPath}`;
    } catch (cause) {
      await this.#journal?.close();
      throw cause;
    }
    this.#running = this.#run(this.#sourceStop.signal);
    signal.addEventListener('abort', this.#stopOnAbort, { once: true });
  }

  inject(fault: Fault): void {
    this.#faults.inject(fault);
  }

  finish(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async stop(): Promise<void> {
    const finished = this.finish();
    for (const client of this.#audience.clients) client.reset();
    await finished;
  }

  readonly #stopOnAbort = (): void => {
    // What goes wrong while stopping is seen by whoever awaits `finish` or `stop`.
    this.stop().catch(() => undefined);
  };

  async #run(signal: AbortSignal): Promise<void> {
    try {
      await this.#source.run(signal);
      if (!signal.aborted) this.#ended.resolve();
    } catch (cause) {
      if (signal.aborted) return;
      this.#ended.reject(cause);
      this.#failure.reject(cause);
    }
  }

  async #close(): Promise<void> {
    this.#sourceStop.abort();
    const closed = this.#server.close();
    await this.#running;
    await Promise.all([...this.#audience.clients].map((client) => client.finish()));
    await closed;
    this.#options.signal.removeEventListener('abort', this.#stopOnAbort);
    this.#stamps?.close();
    this.#counters?.close();
    await this.#journal?.close();
  }
}
