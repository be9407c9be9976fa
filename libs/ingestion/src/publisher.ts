import { addDecimal, type Decimal, type Gap, type GapCause, type Nanoseconds } from '@aipx/market-model';
import type { FrameUnit } from './frame-unit.js';

/** What became of the records that were handed over. Everything that was is in one of these, or still waits. */
export interface PublishCounts {
  /** Ticks and books that the log acknowledged. */
  published: number;
  gaps: number;
  deadLetters: number;
  /** Dead letters for which there was no room; the gap of their frame stands. */
  deadLettersDropped: number;
  /** Books that a newer one of their symbol replaced while they waited. */
  conflated: number;
  readonly dropped: DropCounts;
}

/** Ticks and books that were let go, by reason. A gap names each of them. */
export interface DropCounts {
  /** Waited longer than their time to live. */
  expired: number;
  /** Memory was full, and the disk too or not in use. */
  overflow: number;
  /** The log answered that it will never take them. */
  refused: number;
  /** Waited when the process had to end, with nowhere to be kept. */
  shutdown: number;
}

/** One venue's share, for metrics. */
export interface VenuePublishCounts {
  readonly published: Record<'tick' | 'orderbook', number>;
  /** Sends that failed and were repeated, by the kind they carried. */
  readonly errors: Record<'tick' | 'orderbook', number>;
  readonly gaps: Partial<Record<GapCause, number>>;
  /** What those gaps miss that say so. */
  missedVolume: Decimal;
}

/** How the way to the log stands. */
export interface PublisherStatus {
  readonly counts: Readonly<PublishCounts>;
  readonly venues: ReadonlyMap<string, VenuePublishCounts>;
  /** Records in memory that the log has not acknowledged. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Failed sends in a row, of the partition that is worst off. */
  readonly consecutiveErrors: number;
  /** How long the oldest send has been on its way, over all its tries; 0 when there is none. */
  readonly unansweredMs: number;
  /** Wall clock: when a record was let go last. */
  readonly lastLossAt: Nanoseconds | undefined;
  /** Trades, dead letters and gaps that waited when the process had to end and could be kept nowhere. */
  readonly lostAtEnd: number;
  readonly spill: SpillStatus | undefined;
}

export interface SpillStatus {
  /** New trades go to the disk. */
  readonly active: boolean;
  /** Records written to the disk since the start. */
  readonly written: number;
  /** Records on the disk that the log has not acknowledged. */
  readonly waiting: number;
  readonly bytes: number;
}

/** The way from frames to the log. Runs once. */
export interface Publisher {
  readonly status: PublisherStatus;
  offer(unit: FrameUnit): void;
  /** Whether all of this venue that was offered is where it survives the process, or was let go and is named. */
  hasKeptAllOf(exchange: string): boolean;
  /** Whether all of this venue that was offered is in the log, or was let go and is named there. Never while anything is on the disk. */
  hasSentAllOf(exchange: string): boolean;
  /**
   * Nothing more will be offered: `run` resolves when all that waits is in the log, or when `deadline` aborts and what
   * waits is where it survives the process.
   */
  end(deadline?: AbortSignal): void;
  /** @throws {MarketDataError} what trying again cannot mend */
  run(signal: AbortSignal): Promise<void>;
}

export function zeroPublishCounts(): PublishCounts {
  return {
    published: 0,
    gaps: 0,
    deadLetters: 0,
    deadLettersDropped: 0,
    conflated: 0,
    dropped: { expired: 0, overflow: 0, refused: 0, shutdown: 0 },
  };
}

const NONE = '0' as Decimal;

/** Counts by venue; the venues are those whose data comes, so there are a few. */
export class VenueTotals {
  readonly venues = new Map<string, VenuePublishCounts>();

  of(exchange: string): VenuePublishCounts {
    let counts = this.venues.get(exchange);
    if (counts === undefined) {
      counts = {
        published: { tick: 0, orderbook: 0 },
        errors: { tick: 0, orderbook: 0 },
        gaps: {},
        missedVolume: NONE,
      };
      this.venues.set(exchange, counts);
    }
    return counts;
  }

  addGap({ exchange, cause, missedVolume }: Gap): void {
    const counts = this.of(exchange);
    if (cause !== undefined) counts.gaps[cause] = (counts.gaps[cause] ?? 0) + 1;
    if (missedVolume !== undefined) counts.missedVolume = addDecimal(counts.missedVolume, missedVolume);
  }
}
