import type { Ingestion } from '@aipx/ingestion';
import type { EmbeddedStores } from './embedded-stores.js';
import type { VenueSource } from './inputs.js';
import type { Printer } from './printer.js';
import type { Status, Summary, VenueStatus, VenueSummary } from './report.js';

const EVERY_MS = 1_000;

/** Prints one status a second. */
export class StatusReporter {
  readonly #stores: EmbeddedStores;
  readonly #ingestion: Ingestion;
  readonly #printer: Printer;
  #timer: NodeJS.Timeout | undefined;
  #previous: { readonly at: number; readonly received: ReadonlyMap<string, number> } = { at: 0, received: new Map() };

  constructor(stores: EmbeddedStores, ingestion: Ingestion, printer: Printer) {
    this.#stores = stores;
    this.#ingestion = ingestion;
    this.#printer = printer;
  }

  start(): void {
    this.#previous = { at: performance.now(), received: new Map() };
    this.#timer = setInterval(() => void this.#report(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #report(): Promise<void> {
    const lag = await this.#stores.lag();
    if (this.#timer === undefined) return; // stopped meanwhile: nothing follows the summary
    const { hot, cold } = this.#stores.counts;
    const { publisher, venues } = this.#ingestion.status();
    const now = performance.now();
    const seconds = (now - this.#previous.at) / 1_000;
    const status: Status = {
      event: 'status',
      rss_mb: residentMegabytes(),
      venues: Object.fromEntries(
        Object.entries(venues).map(([id, { state, counts, silent }]): [string, VenueStatus] => {
          const rate = Math.round((counts.received - (this.#previous.received.get(id) ?? 0)) / seconds);
          return [id, { state, received: counts.received, rate, ...(silent.length > 0 && { silent }) }];
        }),
      ),
      published: publisher.counts.published,
      lag,
      hot: { tick: hot.tick, orderbook: hot.orderbook, gap: hot.gap },
      cold: { rows: cold.rows, files: cold.files },
    };
    const received = new Map(Object.entries(venues).map(([id, { counts }]) => [id, counts.received]));
    this.#previous = { at: now, received };
    this.#printer.status(status);
  }
}

export interface Finished {
  readonly stores: EmbeddedStores;
  readonly ingestion: Ingestion;
  readonly sources: readonly VenueSource[];
  /** `performance.now()` at the start of the run. */
  readonly startedAt: number;
}

/** The run in numbers, once everything is drained. */
export function summarise({ stores, ingestion, sources, startedAt }: Finished): Omit<Summary, 'ok'> {
  const { publisher, venues } = ingestion.status();
  const { hot, cold } = stores.counts;
  const total = (count: (venue: (typeof venues)[string]) => number) =>
    Object.values(venues).reduce((sum, venue) => sum + count(venue), 0);
  return {
    event: 'summary',
    duration_s: Math.round(performance.now() - startedAt) / 1_000,
    rss_mb: residentMegabytes(),
    sent: sentOf(sources),
    frames: total(({ counts }) => counts.frames),
    received: total(({ counts }) => counts.received),
    published: publisher.counts.published,
    // The embedded log pauses the venue instead of letting records go, and no venue here repeats itself.
    conflated: 0,
    dropped: {
      rejected: total(({ counts }) => counts.rejected),
      repeated: total(({ counts }) => counts.repeated),
      expired: 0,
      overflow: 0,
    },
    gaps: publisher.counts.gaps,
    venues: Object.fromEntries(
      Object.entries(venues).map(([id, { counts }]): [string, VenueSummary] => {
        const { received, tick, orderbook, ignored, rejected } = counts;
        return [id, { received, tick, orderbook, ignored, rejected }];
      }),
    ),
    hot: {
      recovered: hot.recovered,
      recovered_gap: hot.recoveredGap,
      tick: hot.tick,
      orderbook: hot.orderbook,
      gap: hot.gap,
      duplicates: hot.duplicates,
      conflicts: hot.conflicts,
      dlq: hot.dlq,
    },
    cold: {
      recovered: cold.recovered,
      recovered_gap: cold.recoveredGap,
      rows: cold.rows,
      gap: cold.gap,
      dlq: cold.dlq,
      files: cold.files,
      bytes: cold.bytes,
    },
  };
}

function sentOf(sources: readonly VenueSource[]): number | null {
  let sent = 0;
  for (const { simulator } of sources) {
    if (simulator === undefined) return null;
    sent += simulator.sent;
  }
  return sent;
}

function residentMegabytes(): number {
  return Math.round(process.memoryUsage.rss() / 1e6);
}
