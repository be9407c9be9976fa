/** The one spelling in which contents are compared: what the venue printed and what Kafka holds, written alike. */

export type Channel = 'tick' | 'orderbook';

/** A stream: what is sent in order and must stay so. */
export interface StreamKey {
  readonly symbol: string;
  readonly channel: Channel;
}

/** A market-data frame that the simulator handed to a connection. */
export interface SentFrame extends StreamKey {
  /** Its number in the journal. */
  readonly seq: number;
  readonly connection: string;
  /** The simulator's clock, ns since 1970. */
  readonly sentAt: bigint;
  /** The trade's id, or the book's time in ms. */
  readonly reference: string;
  readonly isSnapshot: boolean;
  /** Every field that must arrive as printed, as `contentOf` writes it. */
  readonly content: string;
}

/** A trade or a book as Kafka holds it. */
export interface LoggedRecord extends StreamKey {
  readonly partition: number;
  readonly offset: number;
  /** The service's clock, ns since 1970. */
  readonly receivedAt: bigint;
  readonly reference: string;
  readonly isSnapshot: boolean;
  readonly content: string;
}

export const GAP_CAUSES = [
  'UNSPECIFIED',
  'RECONNECT',
  'SEQUENCE',
  'BUFFER',
  'UNDECODABLE',
  'STALE',
  'RETENTION',
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

/** A stretch that Kafka names as missing. */
export interface LoggedGap {
  readonly symbol: string;
  readonly channel: Channel | undefined;
  readonly partition: number;
  readonly offset: number;
  /** The service's clock, ns since 1970; 0 = unknown. */
  readonly from: bigint;
  readonly to: bigint;
  readonly cause: GapCause;
  /** 0 = unknown. */
  readonly missed: bigint;
}

export function streamName({ symbol, channel }: StreamKey): string {
  return `${symbol} ${channel}`;
}

export interface TradeContent {
  readonly id: string;
  readonly price: string;
  readonly volume: string;
  /** Signed; empty when the venue does not say. */
  readonly change: string;
  readonly side: string;
  /** ns since 1970. */
  readonly time: bigint;
  readonly isSnapshot: boolean;
}

export function tradeText({ id, price, volume, change, side, time, isSnapshot }: TradeContent): string {
  return `${id} ${time} ${side} ${volume}@${price} ${change} ${isSnapshot ? 'snapshot' : 'realtime'}`;
}

export interface BookContent {
  /** ns since 1970. */
  readonly time: bigint;
  /** `price quantity` each, best first, without padding. */
  readonly bids: readonly string[];
  readonly asks: readonly string[];
  readonly totalBid: string;
  readonly totalAsk: string;
  readonly isSnapshot: boolean;
}

export function bookText({ time, bids, asks, totalBid, totalAsk, isSnapshot }: BookContent): string {
  const stream = isSnapshot ? 'snapshot' : 'realtime';
  return `${time} ${totalBid}/${totalAsk} ${bids.join(',')}|${asks.join(',')} ${stream}`;
}

/** One number has one spelling: `1.16539E8` and `116539000.00` both are `116539000`. */
export function plainDecimal(text: string): string {
  if (/^[1-9]\d*$/.test(text)) return text;
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) throw new Error(`${JSON.stringify(text)} is no number`);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  const before = digits.slice(0, Math.max(0, point)).padEnd(point, '0').replace(/^0+/, '') || '0';
  const after = digits
    .slice(Math.max(0, point))
    .padStart(digits.length - point, '0')
    .replace(/0+$/, '');
  const number = after === '' ? before : `${before}.${after}`;
  return number === '0' ? '0' : sign + number;
}
