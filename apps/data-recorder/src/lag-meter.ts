import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@aipx/event-log';
import { asMarketDataError, MarketDataError, type ErrorCode } from '@aipx/market-model';
import type { SinkName, SinkPosition, SinkStatus } from './sinks/sink.js';
import type { Lag } from './status.js';

const EVERY_MS = 10_000;
const NONE: Lag = new Map();
/** A broker is away: nobody will hear from it before the next look. */
const AWAY: ReadonlySet<ErrorCode> = new Set(['CONNECTION_FAILED', 'CONNECTION_LOST']);

export interface LagMeterOptions {
  readonly log: Pick<EventLog, 'range'>;
  /** For the message of a look that took too long. */
  readonly brokers: readonly string[];
  readonly sinks: () => readonly Pick<SinkStatus, 'name' | 'positions'>[];
  /** Called with each look at the log's ends that failed. */
  readonly onFault: (error: MarketDataError) => void;
  /** Between two looks, and the longest that one may take, ms. @default 10000 */
  readonly everyMs?: number;
}

/** Looks now and then where the log ends, so that whoever asks for a sink's lag need not wait. */
export class LagMeter {
  readonly #options: LagMeterOptions;
  #lag: ReadonlyMap<SinkName, Lag> = new Map();
  #fault: MarketDataError | undefined;

  constructor(options: LagMeterOptions) {
    this.#options = options;
  }

  /** Why the log does not answer; `undefined` from a look that did not fail to the next that does, or to what is told. */
  get fault(): MarketDataError | undefined {
    return this.#fault;
  }

  /** Takes a fault that somebody else met in the log. A broker that is away is known by it before the next look. */
  tell(error: MarketDataError): void {
    if (AWAY.has(error.code)) this.#fault = error;
  }

  /** As of the last look that did not fail. */
  lagOf(sink: SinkName): Lag {
    return this.#lag.get(sink) ?? NONE;
  }

  /** Looks again and again until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs = EVERY_MS, onFault } = this.#options;
    for (;;) {
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const limit = AbortSignal.timeout(everyMs);
      try {
        await this.#look(AbortSignal.any([signal, limit]));
        this.#fault = undefined;
      } catch (cause) {
        if (signal.aborted) return;
        if (limit.aborted) this.#fault ??= this.#silent(everyMs);
        else this.#fault = asMarketDataError(cause, 'CONNECTION_FAILED');
        onFault(this.#fault);
      }
    }
  }

  #silent(afterMs: number): MarketDataError {
    const brokers = this.#options.brokers.join(', ');
    return new MarketDataError('CONNECTION_FAILED', `no answer from ${brokers} (${afterMs} ms)`, {
      context: { brokers },
      retryable: true,
    });
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { log, sinks } = this.#options;
    const partitions = new Map(
      sinks().flatMap(({ positions }) => positions.map((position) => [nameOf(position), position])),
    );
    const ends = new Map(
      await Promise.all(
        [...partitions].map(async ([name, partition]) => [name, (await log.range(partition, { signal })).end] as const),
      ),
    );
    this.#lag = new Map(sinks().map(({ name, positions }) => [name, lagBehind(ends, positions)]));
  }
}

function lagBehind(ends: ReadonlyMap<string, bigint>, positions: readonly SinkPosition[]): Lag {
  const lag = new Map<string, number>();
  for (const position of positions) {
    const end = ends.get(nameOf(position));
    if (end === undefined) continue;
    const behind = Math.max(0, Number(end - position.storedTo));
    lag.set(position.topic, (lag.get(position.topic) ?? 0) + behind);
  }
  return lag;
}

function nameOf({ topic, partition }: SinkPosition): string {
  return `${topic}/${partition}`;
}
