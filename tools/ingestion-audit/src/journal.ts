import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { digest } from './digest.ts';
import { bookText, plainDecimal, tradeText, type SentFrame } from './records.ts';

export interface Journal {
  /** In the order of sending. */
  readonly sent: readonly SentFrame[];
  /**
   * Frames sent to a connection when a newer one had frames already: the client had left the older one, and the
   * simulator did not know yet.
   */
  readonly sentToAbandoned: number;
}

const NANOS_PER_MILLI = 1_000_000n;
/** The number of a field. Made a text before it is parsed, it keeps the digits that a double would lose. */
const NUMBER = /":(-?\d[^,}\]]*)/g;

/** Reads the simulator's own record of what it sent. Every number is taken as it is spelled in the frame. */
export async function readJournal(path: string): Promise<Journal> {
  const sent: SentFrame[] = [];
  let newest = 0;
  let sentToAbandoned = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const entry = JSON.parse(line) as Entry;
    const number = Number(entry.connection.slice(1));
    newest = Math.max(newest, number);
    if (number < newest) sentToAbandoned += 1;
    else sent.push(sentFrame(entry));
  }
  return { sent, sentToAbandoned };
}

interface Entry {
  readonly seq: number;
  readonly sent_at_ns: string;
  /** `c1`, `c2` and so on. */
  readonly connection: string;
  readonly channel: 'tick' | 'orderbook';
  readonly frame: string;
}

type Message = Readonly<Record<string, unknown>>;

function sentFrame({ seq, sent_at_ns, connection, channel, frame }: Entry): SentFrame {
  const message = JSON.parse(frame.replace(NUMBER, '":"$1"')) as Message;
  const isSnapshot = text(message, 'stream_type', 'st') === 'SNAPSHOT';
  const { reference, content } = channel === 'tick' ? trade(message, isSnapshot) : book(message, isSnapshot);
  const symbol = text(message, 'code', 'cd');
  return {
    seq,
    connection,
    sentAt: BigInt(sent_at_ns),
    channel,
    symbol,
    reference,
    isSnapshot,
    content: digest(content),
  };
}

/** The product asks for the short names; the long ones are the other format of the venue. */
function text(message: Message, long: string, short: string): string {
  const value = message[long] ?? message[short];
  return typeof value === 'string' ? value : '';
}

function decimal(message: Message, long: string, short: string): string {
  return plainDecimal(text(message, long, short));
}

function nanos(message: Message, long: string, short: string): bigint {
  return BigInt(text(message, long, short)) * NANOS_PER_MILLI;
}

function trade(message: Message, isSnapshot: boolean) {
  const id = text(message, 'sequential_id', 'sid');
  const change = decimal(message, 'change_price', 'cp');
  const isFall = text(message, 'change', 'c') === 'FALL' && change !== '0';
  const content = tradeText({
    id,
    price: decimal(message, 'trade_price', 'tp'),
    volume: decimal(message, 'trade_volume', 'tv'),
    change: isFall ? `-${change}` : change,
    side: text(message, 'ask_bid', 'ab') === 'ASK' ? 'SELL' : 'BUY',
    time: nanos(message, 'trade_timestamp', 'ttms'),
    isSnapshot,
  });
  return { reference: id, content };
}

function book(message: Message, isSnapshot: boolean) {
  const units = (message['orderbook_units'] ?? message['obu']) as readonly Message[];
  const content = bookText({
    time: nanos(message, 'timestamp', 'tms'),
    bids: side(units, ['bid_price', 'bp'], ['bid_size', 'bs']),
    asks: side(units, ['ask_price', 'ap'], ['ask_size', 'as']),
    totalBid: decimal(message, 'total_bid_size', 'tbs'),
    totalAsk: decimal(message, 'total_ask_size', 'tas'),
    isSnapshot,
  });
  return { reference: text(message, 'timestamp', 'tms'), content };
}

type Names = readonly [long: string, short: string];

/** A short side is filled up with levels of 0. */
function side(units: readonly Message[], price: Names, size: Names): readonly string[] {
  return units
    .map((unit) => [decimal(unit, ...price), decimal(unit, ...size)] as const)
    .filter(([at, quantity]) => at !== '0' && quantity !== '0')
    .map(([at, quantity]) => `${at} ${quantity}`);
}
