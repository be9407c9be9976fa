import type { AuditBook, AuditTick } from '../records.ts';
import type { FrameContents } from './contents.ts';

type Message = Readonly<Record<string, unknown>>;

/** Of an Upbit frame, DEFAULT or SIMPLE, single or list. @throws {SyntaxError} for one that is no JSON */
export function readUpbitFrame(frame: string): FrameContents {
  const messages = messagesOf(frame);
  const typeOf = (message: Message) => message['type'] ?? message['ty'];
  return {
    ticks: messages.filter((message) => typeOf(message) === 'trade').map(tickOf),
    books: messages.filter((message) => typeOf(message) === 'orderbook').map(bookOf),
  };
}

function messagesOf(frame: string): readonly Message[] {
  // The source text of a number keeps the digits that a double would lose.
  const message = JSON.parse(frame, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value,
  ) as Message | Message[];
  return Array.isArray(message) ? message : [message];
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
