import { toIsoText } from '@aipx/market-model';
import type { HotReader, StoredTrade } from '@aipx/timescale';
import { fieldOf, timeOf } from './fields.js';
import type { Counts } from './tally.js';

/** A trade without a row at its own position. */
export interface AbsentTrade {
  readonly partition: number;
  readonly offset: bigint;
  readonly line: string;
  readonly counts: Counts;
  readonly lost: (says: string) => void;
}

/** Trades asked for at once. */
const AT_ONCE = 500;

/** Tells trades that the venue sent twice, and the database keeps once, from lost ones. */
export class VenueRepeats {
  readonly #reader: HotReader;
  readonly #absent: AbsentTrade[] = [];

  constructor(reader: HotReader) {
    this.#reader = reader;
  }

  add(trade: AbsentTrade): void {
    this.#absent.push(trade);
  }

  get isFull(): boolean {
    return this.#absent.length >= AT_ONCE;
  }

  async settle(): Promise<void> {
    while (this.#absent.length > 0) {
      const some = this.#absent.splice(0, AT_ONCE);
      const stored = await this.#reader.trades(some.map(keyOf));
      for (const [index, trade] of some.entries()) judge(trade, stored[index]);
    }
  }
}

function keyOf({ line }: AbsentTrade) {
  return {
    exchange: fieldOf('tick', line, 'exchange') ?? '',
    symbol: fieldOf('tick', line, 'symbol') ?? '',
    tradeId: fieldOf('tick', line, 'trade_id') ?? '',
    time: toIsoText(timeOf(line)),
  };
}

function judge({ partition, offset, line, counts, lost }: AbsentTrade, stored: StoredTrade | undefined): void {
  if (stored === undefined) {
    lost('no row');
    return;
  }
  const place = `${stored.partition}/${stored.offset}`;
  // Of trades with one key the database keeps the first.
  if (stored.partition === partition && stored.offset > offset) {
    lost(`no row; its trade stands under the later position ${place} only`);
    return;
  }
  const fields = ['price', 'volume', 'side'] as const;
  const differs = fields.filter((name) => stored[name] !== fieldOf('tick', line, name));
  if (differs.length === 0) counts.venueDuplicates += 1;
  else lost(`no row and no dead letter; under its id the database has another ${differs.join(' and ')}, at ${place}`);
}
