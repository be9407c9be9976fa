import type { SimulatedClient } from '@aipx/venue/simulation';
import { venueTime } from './clock.js';
import { envelope } from './envelope.js';
import type { Exchange } from './exchange.js';
import { operationFields, operationsOf, type Operation } from './operation-frame.js';

const DAY_SECONDS = 86_400;

/** Tells one client of every change in the state of trading, when the simulated clock comes to it. */
export class OperationTimer {
  readonly #client: SimulatedClient;
  readonly #exchange: Exchange;

  constructor(client: SimulatedClient, exchange: Exchange) {
    this.#client = client;
    this.#exchange = exchange;
  }

  /** Until `wanted` says no. Trading that never rests has no changes. */
  start(transaction: string, symbol: string, wanted: () => boolean): void {
    const { hours, haltsOf, clock } = this.#exchange;
    if (hours === 'always') return;
    const operations = operationsOf(haltsOf(symbol));
    const arm = (after: number): void => {
      const { operation, second } = nextOperation(operations, after);
      const midnight = clock.now - (clock.now % 1000) - venueTime(clock.now).second * 1000;
      const delay = clock.wallDelay(midnight + second * 1000 - clock.now);
      this.#client.later(delay, () => {
        if (!wanted()) return;
        this.#client.control(envelope(transaction, [operationFields(symbol, operation)]).toString('latin1'));
        arm(second % DAY_SECONDS);
      });
    };
    arm(venueTime(clock.now).second);
  }
}

/** The first operation behind a second of the day; behind the last one, tomorrow's first. */
function nextOperation(operations: readonly Operation[], after: number): { operation: Operation; second: number } {
  const today = operations.find(({ second }) => second > after);
  if (today !== undefined) return { operation: today, second: today.second };
  const [tomorrow] = operations;
  if (tomorrow === undefined) throw new RangeError('a day without operations');
  return { operation: tomorrow, second: tomorrow.second + DAY_SECONDS };
}
