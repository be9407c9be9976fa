import type { Ingestion, IngestionStatus } from '@aipx/ingestion';
import { wallClock } from '@aipx/websocket-client';
import type { EmbeddedStores } from './embedded-stores.js';
import type { Printer } from './printer.js';
import type { Status, Summary, VenueStatus, VenueSummary } from './report.js';
import type { VenueSource } from './sources.js';

const EVERY_MS = 1_000;
const NEVER_SEEN = {
  counts: { received: 0, tick: 0, orderbook: 0, ignored: 0, repeated: 0, rejected: 0 },
  reconnects: 0,
};

/** Prints one status a second. */
export class StatusReporter {
  readonly #stores: EmbeddedStores;
  readonly #ingestion: Ingestion;
  readonly #sources: ReadonlyMap<string, VenueSource>;
  readonly #printer: Printer;
  #timer: NodeJS.Timeout | undefined;
  #previous: { readonly at: number; readonly received: ReadonlyMap<string, number> } = { at: 0, received: new Map() };

  constructor(stores: EmbeddedStores, ingestion: Ingestion, sources: readonly VenueSource[], printer: Printer) {
    this.#stores = stores;
    this.#ingestion = ingestion;
    this.#sources = new Map(sources.map((source) => [source.open.driver.id, source]));
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
        Object.entries(venues).map(([id, { state, counts, silent, halted }]): [string, VenueStatus] => {
          const rate = Math.round((counts.received - (this.#previous.received.get(id) ?? 0)) / seconds);
          const source = this.#sources.get(id);
          return [
            id,
            {
              state,
              received: counts.received,
              rate,
              ...(silent.length > 0 && { silent }),
              ...(halted.length > 0 && { halted }),
              ...marketOf(source),
            },
          ];
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

/** Of a real venue: whether it trades now, and what stands between us and it. */
function marketOf(source: VenueSource | undefined): Pick<VenueStatus, 'market_closed' | 'waits_for'> {
  if (source === undefined || source.simulator !== undefined) return {};
  const { driver } = source.open;
  const { waitsFor, faults = [], risks = [] } = source.open.status();
  const waits = [...faults, ...risks, ...waitsFor];
  const isClosed = driver.isDataExpected?.(wallClock()) === false;
  return { ...(isClosed && { market_closed: true }), ...(waits.length > 0 && { waits_for: waits }) };
}

export interface Finished {
  /** Times that a venue told of a halt, by its id. */
  readonly halts: ReadonlyMap<string, number>;
  readonly stores: EmbeddedStores;
  readonly ingestion: Ingestion;
  readonly sources: readonly VenueSource[];
  /** `performance.now()` at the start of the run. */
  readonly startedAt: number;
}

/** The run in numbers, once everything is drained. */
export function summarise({ stores, ingestion, sources, halts, startedAt }: Finished): Omit<Summary, 'ok'> {
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
    // The embedded log pauses the venue instead of letting records go.
    conflated: 0,
    dropped: {
      rejected: total(({ counts }) => counts.rejected),
      repeated: total(({ counts }) => counts.repeated),
      expired: 0,
      overflow: 0,
    },
    gaps: publisher.counts.gaps,
    venues: Object.fromEntries(
      sources.map(({ open, simulator }): [string, VenueSummary] => {
        const { id } = open.driver;
        const sent = simulator?.sentRecords ?? null;
        return [id, { sent, ...venueSummary(id, { publisher, venues }), halts: halts.get(id) ?? 0 }];
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

function venueSummary(id: string, { publisher, venues }: IngestionStatus): Omit<VenueSummary, 'sent' | 'halts'> {
  const { counts, reconnects } = venues[id] ?? NEVER_SEEN;
  const { received, tick, orderbook, ignored, repeated, rejected } = counts;
  const { gaps = {}, missedVolume = '0' } = publisher.venues.get(id) ?? {};
  const byCause = Object.entries(gaps).map(([cause, count]) => [cause.toLowerCase(), count] as const);
  return {
    received,
    tick,
    orderbook,
    ignored,
    repeated,
    rejected,
    reconnects,
    gaps: Object.fromEntries(byCause),
    missed_volume: missedVolume,
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
