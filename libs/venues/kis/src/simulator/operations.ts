import type { SimulatedClient } from '@aipx/venue/simulation';
import { venueTime } from './clock.js';
import { envelope } from './envelope.js';
import type { Exchange } from './exchange.js';
import { operationFields, operationsOf, type Operation } from './operation-frame.js';

const DAY_SECONDS = 86_400;

/** What one registration is told next. */
interface Announcement {
  readonly transaction: string;
  readonly symbol: string;
  readonly operations: readonly Operation[];
  /** Whether it still stands. */
  readonly isWanted: () => boolean;
  next: Operation;
  /** Simulated time of `next`, ms since the epoch. */
  at: number;
}

/** Tells one client of every change in the state of trading, when the simulated clock comes to it. */
export class OperationTimer {
  readonly #client: SimulatedClient;
  readonly #exchange: Exchange;
  readonly #announcements = new Set<Announcement>();

  constructor(client: SimulatedClient, exchange: Exchange) {
    this.#client = client;
    this.#exchange = exchange;
  }

  /** Until `isWanted` says no. Trading that never rests has no changes. */
  start(transaction: string, symbol: string, isWanted: () => boolean): void {
    const { hours, haltsOf, clock } = this.#exchange;
    if (hours === 'always') return;
    const operations = operationsOf(haltsOf(symbol));
    const { operation, at } = nextOperation(operations, clock.now);
    const announcement = { transaction, symbol, operations, isWanted, next: operation, at };
    this.#announcements.add(announcement);
    this.#arm(announcement);
  }

  /** Tells what is due: a clock that runs by leaps is ahead of the timers. */
  tellDue(): void {
    if (this.#announcements.size === 0) return;
    const { now } = this.#exchange.clock;
    for (const announcement of this.#announcements) if (announcement.at <= now) this.#tell(announcement);
  }

  #arm(announcement: Announcement): void {
    const { clock } = this.#exchange;
    const { at } = announcement;
    this.#client.later(clock.wallDelay(at - clock.now), () => {
      if (announcement.at === at) this.#tell(announcement);
    });
  }

  #tell(announcement: Announcement): void {
    const { transaction, symbol, operations, isWanted, next, at } = announcement;
    if (!isWanted()) {
      this.#announcements.delete(announcement);
      return;
    }
    this.#client.control(envelope(transaction, [operationFields(symbol, next)]).toString('latin1'));
    const following = nextOperation(operations, at);
    announcement.next = following.operation;
    announcement.at = following.at;
    this.#arm(announcement);
  }
}

/** The first operation behind a moment, in ms since the epoch; behind a day's last one, tomorrow's first. */
function nextOperation(operations: readonly Operation[], after: number): { operation: Operation; at: number } {
  const { second: passed } = venueTime(after);
  const midnight = after - (after % 1000) - passed * 1000;
  const today = operations.find(({ second }) => second > passed);
  if (today !== undefined) return { operation: today, at: midnight + today.second * 1000 };
  const [tomorrow] = operations;
  if (tomorrow === undefined) throw new RangeError('a day without operations');
  return { operation: tomorrow, at: midnight + (tomorrow.second + DAY_SECONDS) * 1000 };
}
