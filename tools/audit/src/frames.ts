import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { AuditBook, AuditTick, Holdings } from './records.ts';

/**
 * The trades and books in a file of recorded Upbit frames, DEFAULT or SIMPLE, single or list. Frames that are not JSON
 * are counted: the product must have rejected exactly those.
 */
export async function readFrames(path: string): Promise<Holdings & { readonly unreadable: number }> {
  const ticks: AuditTick[] = [];
  const books: AuditBook[] = [];
  let unreadable = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const messages = messagesOf(line);
    if (messages === undefined) unreadable += 1;
    for (const message of messages ?? []) {
      const type = message['type'] ?? message['ty'];
      if (type === 'trade') ticks.push(tickOf(message));
      if (type === 'orderbook') books.push(bookOf(message));
    }
  }
  return { ticks, books, unreadable };
}

type Message = Readonly<Record<string, unknown>>;

function messagesOf(line: string): readonly Message[] | undefined {
  try {
    const { frame } = JSON.parse(line) as { frame: string };
    // The source text of a number keeps the digits that a double would lose.
    const message = JSON.parse(frame, (_key, value: unknown, context?: { source?: string }) =>
      typeof value === 'number' ? (context?.source ?? String(value)) : value,
    ) as Message | Message[];
    return Array.isArray(message) ? message : [message];
  } catch {
    return undefined;
  }
}

function text(message: Message, long: string, short: string): string {
  const value = message[long] ?? message[short];
  return typeof value === 'string' ? value : '';
}

function tickOf(message: Message): AuditTick {
  const change = text(message, 'change_price', 'cp');
  return {
    symbol: text(message, 'code', 'cd'),
    id: text(message, 'sequential_id', 'sid'),
    price: text(message, 'trade_price', 'tp'),
    volume: text(message, 'trade_volume', 'tv'),
    side: text(message, 'ask_bid', 'ab') === 'ASK' ? 'SELL' : 'BUY',
    time: text(message, 'trade_timestamp', 'ttms'),
    change: text(message, 'change', 'c') === 'FALL' ? `-${change}` : change,
  };
}

function bookOf(message: Message): AuditBook {
  const units = (message['orderbook_units'] ?? message['obu']) as readonly Message[];
  const side = (price: [string, string], size: [string, string]) =>
    units
      .map((unit) => [text(unit, ...price), text(unit, ...size)] as const)
      .filter(([p, s]) => Number(p) !== 0 && Number(s) !== 0)
      .map(([p, s]) => `${p} ${s}`);
  return {
    symbol: text(message, 'code', 'cd'),
    time: text(message, 'timestamp', 'tms'),
    bids: side(['bid_price', 'bp'], ['bid_size', 'bs']),
    asks: side(['ask_price', 'ap'], ['ask_size', 'as']),
    totalBid: text(message, 'total_bid_size', 'tbs'),
    totalAsk: text(message, 'total_ask_size', 'tas'),
  };
}
