import { readFile } from 'node:fs/promises';

interface Line {
  readonly symbol?: string;
  readonly frame: string;
  readonly fault?: string;
  readonly channel?: string;
  readonly records?: readonly {
    readonly ref: string;
    readonly volume: number;
    readonly cumulative: number;
    readonly fate: 'sent' | 'repeated' | 'lost';
  }[];
}

/** One trade of the simulated market that the venue sent or left out. */
export interface MarketTrade {
  readonly symbol: string;
  readonly id: string;
  readonly volume: number;
  readonly cumulative: number;
  /** As the frame has it: price, volume, side and time; absent for one that was left out. */
  readonly content: string | undefined;
  readonly isRepeated: boolean;
}

export interface Journal {
  /** By symbol, in the order of the market. */
  readonly trades: ReadonlyMap<string, readonly MarketTrade[]>;
  /** Trades of the largest frame. */
  readonly largest: number;
  readonly garbage: readonly string[];
}

const WIDTH = 47;
const TIME = 1;
const PRICE = 2;
const SIZE = 12;
const CUMULATIVE = 13;
const SIDE = 21;
const DATE = 33;
const SIDES: Readonly<Record<string, string>> = { 1: 'BUY', 5: 'SELL' };

export async function readJournal(path: string): Promise<Journal> {
  const lines = (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  const bySymbol = new Map<string, Map<string, MarketTrade>>();
  let largest = 0;
  for (const { symbol, channel, records = [], frame } of lines) {
    if (symbol === undefined || channel !== 'tick') continue;
    const contents = contentsOf(frame);
    largest = Math.max(largest, contents.size);
    const trades = bySymbol.get(symbol) ?? new Map<string, MarketTrade>();
    bySymbol.set(symbol, trades);
    for (const { ref: id, volume, cumulative, fate } of records) {
      const isRepeated = fate === 'repeated' || trades.get(id)?.isRepeated === true;
      trades.set(id, { symbol, id, volume, cumulative, content: contents.get(id), isRepeated });
    }
  }
  return {
    trades: new Map([...bySymbol].map(([symbol, trades]) => [symbol, [...trades.values()]])),
    largest,
    garbage: lines.filter(({ fault }) => fault === 'garbage').map(({ frame }) => frame),
  };
}

/** What a frame says of each trade, by the id it makes. */
function contentsOf(frame: string): ReadonlyMap<string, string> {
  const [, , , payload = ''] = frame.split('|');
  const fields = payload.split('^');
  const contents = new Map<string, string>();
  for (let at = 0; at + WIDTH <= fields.length; at += WIDTH) {
    const field = (index: number) => fields[at + index] ?? '';
    const side = SIDES[field(SIDE)] ?? '-';
    const content = `${field(PRICE)} ${field(SIZE)} ${side} ${field(DATE)}${field(TIME)}`;
    contents.set(`UN-${field(DATE)}-${field(CUMULATIVE)}`, content);
  }
  return contents;
}
