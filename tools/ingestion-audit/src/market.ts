import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { startVenueSimulator, type ConnectionChange, type VenueSimulator } from '@aipx/venue-simulator';
import { upbitSimulator } from '@aipx/venue-upbit/simulator';
import { Signals } from './signals.ts';

export interface MarketOptions {
  readonly symbols: readonly string[];
  readonly seed: number;
  /** Frames a second. */
  readonly rate: number;
  readonly journal: string;
  readonly signal: AbortSignal;
}

type Fault = Parameters<VenueSimulator['inject']>[0];

/** Longest wait, ms, for the service to notice or to come back: above its handshake limit of ten seconds. */
const PATIENCE_MS = 60_000;

/** The simulated venue, with a record of what becomes of its connections. */
export class Market {
  readonly symbols: readonly string[];
  readonly #simulator: VenueSimulator;
  readonly #changes: Signals<ConnectionChange>;

  private constructor(symbols: readonly string[], simulator: VenueSimulator, changes: Signals<ConnectionChange>) {
    this.symbols = symbols;
    this.#simulator = simulator;
    this.#changes = changes;
  }

  static async open({ symbols, seed, rate, journal, signal }: MarketOptions): Promise<Market> {
    const changes = new Signals<ConnectionChange>();
    const simulator = await startVenueSimulator({
      venue: upbitSimulator,
      source: { kind: 'market', seed, rate, symbols },
      journal: { path: journal, frames: true },
      onConnection: (change) => changes.add(change),
      signal,
    });
    return new Market(symbols, simulator, changes);
  }

  get websocketUrl(): string {
    return this.#simulator.websocketUrl;
  }

  get apiUrl(): string {
    return this.#simulator.apiUrl;
  }

  get sent(): number {
    return this.#simulator.sent;
  }

  /** Rejects when the simulator fails; never resolves. */
  get failed(): Promise<never> {
    return this.#simulator.failed;
  }

  inject(fault: Fault): void {
    this.#simulator.inject(fault);
  }

  /** What has happened to connections so far, for `since`. */
  get now(): number {
    return this.#changes.count;
  }

  /** The connections that were opened since then, by their names in the journal. */
  openedSince(since: number): readonly string[] {
    return this.#changes
      .since(since)
      .filter(({ event }) => event === 'opened')
      .map(({ connection }) => connection);
  }

  /** A connection has subscribed since then: its data comes. */
  async subscribed(since = 0): Promise<void> {
    const what = 'the service did not subscribe';
    await this.#changes.first(({ event }) => event === 'subscribed', { since, what, withinMs: PATIENCE_MS });
  }

  /** A connection has ended since then. */
  async ended(since: number): Promise<void> {
    const what = 'the connection of the service did not end';
    await this.#changes.first(({ event }) => event === 'ended', { since, what, withinMs: PATIENCE_MS });
  }

  /** Whether the connection that subscribed last is still there. */
  async stands(): Promise<boolean> {
    // After a stall of this process timers are due before its sockets have said what became of them.
    await eventLoopTurn();
    const changes = this.#changes.since(0);
    const last = changes.findLast(({ event }) => event === 'subscribed')?.connection;
    return last !== undefined && !changes.some(({ connection, event }) => connection === last && event === 'ended');
  }

  /** Stops the market; the service has every frame before its connection closes, and the journal is complete. */
  async finish(): Promise<void> {
    await this.#simulator.finish();
  }
}
