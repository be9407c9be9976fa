import { sameLevels, sameNumber, type AuditBook, type AuditTick, type Holdings } from './records.ts';

export interface Verdict {
  readonly store: string;
  readonly ticks: number;
  readonly books: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** The first few findings, in words. */
  readonly findings: readonly string[];
}

const SHOWN = 10;

const NOTHING: Holdings = { ticks: [], books: [] };

/** Holds all that a store has against the frames, venue by venue: of a venue without frames everything is too much. */
export function compareVenues(
  store: string,
  frames: ReadonlyMap<string, Holdings>,
  held: ReadonlyMap<string, Holdings>,
  eachSending: boolean,
): readonly Verdict[] {
  const venues = [...new Set([...frames.keys(), ...held.keys()])];
  return venues.map((venue) =>
    compare(`${store} ${venue}`, frames.get(venue) ?? NOTHING, held.get(venue) ?? NOTHING, eachSending),
  );
}

/**
 * Holds a store against the frames of a venue. Trades are matched by (symbol, id), books by their order within a symbol.
 *
 * @param eachSending whether the store keeps a trade as often as the venue sent it (lake) or once (database)
 */
export function compare(store: string, frames: Holdings, held: Holdings, eachSending: boolean): Verdict {
  const tally = { missing: 0, extra: 0, different: 0 };
  const findings: string[] = [];
  const found = (kind: keyof typeof tally, what: string) => {
    tally[kind] += 1;
    if (findings.length < SHOWN) findings.push(`${store}: ${kind}: ${what}`);
  };
  const inFrames = groupBy(frames.ticks, (tick) => `${tick.symbol} ${tick.id}`);
  const inStore = groupBy(held.ticks, (tick) => `${tick.symbol} ${tick.id}`);
  for (const key of new Set([...inFrames.keys(), ...inStore.keys()])) {
    const sent = inFrames.get(key) ?? [];
    const expected = eachSending ? sent : sent.slice(0, 1);
    pairUp(expected, inStore.get(key) ?? [], sameTick, `trade ${key}`, found);
  }
  const booksInFrames = groupBy(frames.books, (book) => book.symbol);
  const booksInStore = groupBy(held.books, (book) => book.symbol);
  for (const symbol of new Set([...booksInFrames.keys(), ...booksInStore.keys()])) {
    pairUp(booksInFrames.get(symbol) ?? [], booksInStore.get(symbol) ?? [], sameBook, `book of ${symbol}`, found);
  }
  return { store, ticks: held.ticks.length, books: held.books.length, ...tally, findings };
}

function pairUp<Item>(
  expected: readonly Item[],
  actual: readonly Item[],
  same: (a: Item, b: Item) => boolean,
  name: string,
  found: (kind: 'missing' | 'extra' | 'different', what: string) => void,
): void {
  for (let index = 0; index < Math.max(expected.length, actual.length); index += 1) {
    const want = expected[index];
    const have = actual[index];
    if (want === undefined) found('extra', `${name}: ${JSON.stringify(have)}`);
    else if (have === undefined) found('missing', `${name}: ${JSON.stringify(want)}`);
    else if (!same(want, have))
      found('different', `${name}: sent ${JSON.stringify(want)}, stored ${JSON.stringify(have)}`);
  }
}

function sameTick(a: AuditTick, b: AuditTick): boolean {
  return (
    a.symbol === b.symbol &&
    a.id === b.id &&
    a.side === b.side &&
    sameNumber(a.price, b.price) &&
    sameNumber(a.volume, b.volume) &&
    sameNumber(a.change, b.change) &&
    sameNumber(a.time, b.time)
  );
}

function sameBook(a: AuditBook, b: AuditBook): boolean {
  return (
    sameNumber(a.time, b.time) &&
    sameLevels(a.bids, b.bids) &&
    sameLevels(a.asks, b.asks) &&
    sameNumber(a.totalBid, b.totalBid) &&
    sameNumber(a.totalAsk, b.totalAsk)
  );
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
