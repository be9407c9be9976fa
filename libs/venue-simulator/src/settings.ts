import { MarketDataError } from '@aipx/market-model';
import type { SimulatedVenue } from '@aipx/venue/simulation';
import type { JournalOptions } from './journal.js';

/** A made-up market without end. */
export interface MarketSourceSettings {
  readonly kind: 'market';
  /** The same seed gives the same prices and sizes. */
  readonly seed: number;
  /** Frames a second, over all clients together; `max`: as many as the clients take. */
  readonly rate: number | 'max';
  /** The codes that are listed. @default all of the venue's */
  readonly symbols?: readonly string[];
  /** Share of trades among the events, 0 to 1. @default 0.6 */
  readonly tradeShare?: number;
  /** Where a mark is kept that makes trade ids unique across runs even when the clock steps back. @default none */
  readonly idMarkFile?: string;
  /** Where counters of the market are kept (volumes of the day), so that they go on in the next run. @default none */
  readonly countersFile?: string;
}

/** A file of recorded frames: JSON lines with `venue`, `received_at_ns` and `frame`. */
export interface FramesSourceSettings {
  readonly kind: 'frames';
  readonly path: string;
  /** 1 = as recorded, 10 = ten times as fast, `max`: as fast as the client takes them. */
  readonly speed: number | 'max';
  /** Data frames of this venue to leave out at the beginning. @default 0 */
  readonly from?: number;
  /** The codes that are listed: those of the file, so that none counts as unknown. @default all of the venue's */
  readonly symbols?: readonly string[];
}

/** What became of a connection; `connection` is its name in the journal. */
export interface ConnectionChange {
  readonly connection: string;
  /** `subscribed`: its first subscription was accepted, and its snapshots come next. */
  readonly event: 'opened' | 'subscribed' | 'ended';
}

export interface VenueSimulatorOptions {
  readonly venue: SimulatedVenue;
  readonly source: MarketSourceSettings | FramesSourceSettings;
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default 0, any that is free */
  readonly port?: number;
  /** Where to write down what is sent. @default nowhere */
  readonly journal?: JournalOptions;
  /** Whether `POST /__simulator/faults` takes faults. @default false */
  readonly faultsEndpoint?: boolean;
  /** How long a client may be silent, ms. @default the venue's */
  readonly idleLimitMs?: number;
  /** Called with every change of a connection. */
  readonly onConnection?: (change: ConnectionChange) => void;
  /** Stops the simulator at once. */
  readonly signal: AbortSignal;
}

/** @throws {MarketDataError} `CONFIG_INVALID` for a number out of range, `CONFIG_SYMBOL` for a code without a market */
export function checkSettings({ venue, source }: VenueSimulatorOptions): void {
  if (source.kind === 'frames') {
    if (source.speed !== 'max') positive('speed', source.speed);
    if (source.from !== undefined && !(Number.isSafeInteger(source.from) && source.from >= 0)) {
      throw new MarketDataError('CONFIG_INVALID', `from is ${source.from}; expected a whole number, 0 or more`);
    }
    return;
  }
  if (source.rate !== 'max') positive('rate', source.rate);
  const { tradeShare = 0.6 } = source;
  if (!(tradeShare >= 0 && tradeShare <= 1)) {
    throw new MarketDataError('CONFIG_INVALID', `trade share is ${tradeShare}; expected a number from 0 to 1`);
  }
  const known = new Set(venue.symbols);
  const unknown = source.symbols?.filter((symbol) => !known.has(symbol)) ?? [];
  if (unknown.length > 0) {
    throw new MarketDataError('CONFIG_SYMBOL', `the simulated ${venue.id} has no market ${unknown.join(', ')}`);
  }
}

function positive(name: string, value: number): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new MarketDataError('CONFIG_INVALID', `${name} is ${value}; expected a number above 0, or max`);
}
