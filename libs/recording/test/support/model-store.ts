import type { TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import type { HotBatch, HotCommit, HotRow, HotStore, RefusedRow, StoredPosition } from '../../src/index.js';

/** What becomes of one transaction. */
export type Outcome =
  | 'committed'
  | 'fails before it compares'
  | 'fails while it copies'
  | 'lost before the server'
  | 'answer lost'
  /** The client gives up while the server still works on the COMMIT, which lands. */
  | 'lands late'
  | 'ends late without landing';

/** The rows of one partition, by what they stand for: `7` for the record at 7, `3-5` for a Gap over 3 to 5. */
interface Content {
  readonly positions: ReadonlyMap<string, StoredPosition>;
  readonly rows: readonly string[];
}

const NOTHING: Content = { positions: new Map(), rows: [] };

/** A database in memory: transactions with row locks on the positions, interleaved as `pause` says. */
export class ModelStore {
  readonly #pause: () => Promise<void>;
  readonly #nextOutcome: () => Outcome;
  readonly #locks = new Map<string, Promise<unknown>>();
  readonly #beginnings = new Map<string, bigint>();
  #history: Content[] = [NOTHING];
  /** Counts the failovers: a transaction of an earlier server is gone. */
  #server = 0;

  constructor(pause: () => Promise<void>, nextOutcome: () => Outcome) {
    this.#pause = pause;
    this.#nextOutcome = nextOutcome;
  }

  get content(): Content {
    return this.#history.at(-1) ?? NOTHING;
  }

  /** Where the first position of a partition was made: nobody promises what was before. */
  beginningOf(key: string): bigint {
    return this.#beginnings.get(key) ?? 0n;
  }

  /** Another server takes over, which has not seen the last transactions. */
  failOver(lost: number): void {
    this.#server += 1;
    this.#locks.clear();
    this.#history = this.#history.slice(0, Math.max(1, this.#history.length - lost));
  }

  /** The store as one process sees it, until that is dead: from then on nothing is answered. */
  connect(isDead: () => boolean): HotStore {
    const answer = async <Result>(work: () => Promise<Result>): Promise<Result> => {
      try {
        return isDead() ? await new Promise(() => undefined) : await work();
      } finally {
        if (isDead()) await new Promise(() => undefined);
      }
    };
    return {
      openPosition: (partition, logId, beginning) => answer(() => this.#open(partition, logId, beginning)),
      readPositions: (partitions) => answer(() => this.#read(partitions)),
      commit: (batch, bury) => answer(() => this.#commit(batch, bury, isDead)),
    };
  }

  async #open(partition: TopicPartition, logId: string, beginning: bigint): Promise<StoredPosition> {
    await this.#pause();
    const key = keyOf(partition);
    const made = { logId, nextOffset: beginning, lastHash: undefined };
    if (!this.content.positions.has(key)) {
      this.#beginnings.set(key, beginning);
      this.#apply(new Map([[key, made]]), []);
    }
    const [position] = await this.#read([partition]);
    return position ?? made;
  }

  async #read(partitions: readonly TopicPartition[]): Promise<readonly (StoredPosition | undefined)[]> {
    const server = this.#server;
    const unlock = await this.#lock(partitions);
    await this.#pause();
    unlock();
    this.#assertStill(server);
    return partitions.map((partition) => this.content.positions.get(keyOf(partition)));
  }

  async #commit(
    batch: HotBatch,
    bury: (refused: readonly RefusedRow[]) => Promise<void>,
    isDead: () => boolean,
  ): Promise<HotCommit> {
    const outcome = this.#nextOutcome();
    const server = this.#server;
    await this.#pause();
    if (outcome === 'fails before it compares') throw outage(outcome);
    const unlock = await this.#lock(batch.moves);
    let isLate = false;
    try {
      this.#compare(batch);
      await this.#pause();
      if (outcome === 'fails while it copies') throw outage(outcome);
      const rows = [...batch.ticks, ...batch.books, ...batch.gaps];
      const refused = rows.filter(isRefused).map(refusal);
      const stored = rows.filter((row) => !isRefused(row));
      await bury(refused);
      await this.#pause();
      this.#assertStill(server);
      if (isDead()) throw outage('the server rolls back what a dead process began');
      const land = () => {
        if (this.#server !== server) return;
        this.#apply(new Map(batch.moves.map((move) => [keyOf(move), positionAfter(batch.logId, move)])), stored);
      };
      isLate = outcome === 'lands late' || outcome === 'ends late without landing';
      if (isLate) {
        void this.#pause().then(() => {
          if (outcome === 'lands late') land();
          unlock();
        });
      } else if (outcome !== 'lost before the server') land();
      const doubt = outcome === 'committed' ? undefined : outage(outcome);
      return { ...NO_ROWS, doubt, tick: batch.ticks.length - refused.length, gap: batch.gaps.length, refused };
    } finally {
      if (!isLate) unlock();
    }
  }

  #compare({ logId, moves }: HotBatch): void {
    for (const move of moves) {
      const position = this.content.positions.get(keyOf(move));
      if (position?.logId === logId && position.nextOffset === move.from) continue;
      throw new MarketDataError('STORE_POSITION_MOVED', `${keyOf(move)} is elsewhere`, { retryable: true });
    }
  }

  #apply(moved: ReadonlyMap<string, StoredPosition>, rows: readonly HotRow[]): void {
    const { content } = this;
    this.#history.push({
      positions: new Map([...content.positions, ...moved]),
      rows: [...content.rows, ...rows.map(nameOf)],
    });
  }

  async #lock(partitions: readonly TopicPartition[]): Promise<() => void> {
    const { promise: released, resolve: unlock } = Promise.withResolvers<undefined>();
    for (const key of partitions.map(keyOf)) {
      const before = this.#locks.get(key);
      this.#locks.set(key, Promise.all([before, released]));
      await before;
    }
    return () => {
      unlock(undefined);
    };
  }

  #assertStill(server: number): void {
    if (this.#server !== server) throw outage('another server took over');
  }
}

const NO_ROWS = { orderbook: 0, duplicates: 0 };

function positionAfter(logId: string, { to, lastHash }: HotBatch['moves'][number]): StoredPosition {
  return { logId, nextOffset: to, lastHash };
}

/** Whether the model's database refuses the row for what is in it. */
function isRefused({ event }: HotRow): boolean {
  return event.kind === 'tick' && event.tradeId === 'refused';
}

function refusal(row: HotRow): RefusedRow {
  return { row, reason: 'STORE_REFUSED', message: 'the database refuses the record' };
}

function nameOf({ topic, partition, record, event }: HotRow): string {
  const stretch = record === undefined && event.kind === 'gap' ? /offsets (\d+) to (\d+)/.exec(event.detail) : null;
  return `${topic}/${partition}/${record === undefined ? `${stretch?.[1]}-${stretch?.[2]}` : record.offset}`;
}

function outage(message: string): MarketDataError {
  return new MarketDataError('STORE_UNAVAILABLE', message, { retryable: true });
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
