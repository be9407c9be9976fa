import type { Decimal } from './decimal.js';
import type { Nanoseconds } from './time.js';

/** What a venue streams for a symbol. A gap names the channel in which something is missing. */
export type Channel = 'tick' | 'orderbook';
/** The taker's side. Absent where the venue does not say. */
export type Side = 'BUY' | 'SELL';
/** `SNAPSHOT`: the venue's answer to a subscription, possibly old and seen before. `REALTIME`: as it happened. */
export type StreamType = 'SNAPSHOT' | 'REALTIME';

/** One trade as the venue printed it. */
export interface Tick {
  readonly kind: 'tick';
  readonly exchange: string;
  /** The venue's own code, upper case. */
  readonly symbol: string;
  /** Quote currency for one unit of base. Above 0. */
  readonly price: Decimal;
  /** Base currency or shares. Above 0. */
  readonly volume: Decimal;
  /** The venue's clock: when the trade was executed. */
  readonly timestamp: Nanoseconds;
  /** Signed, against the previous close. Absent where the venue does not print it. */
  readonly change: Decimal | undefined;
  /** Signed ratio: 0.0191 is +1.91 %. Absent where the venue does not print it; never computed. */
  readonly changeRate: Decimal | undefined;
  readonly side: Side | undefined;
  /** Unique within (exchange, symbol). Text, because venues use more digits than a double holds. */
  readonly tradeId: string;
  /** Our clock: when the frame was received. */
  readonly receivedTimestamp: Nanoseconds;
  readonly streamType: StreamType | undefined;
}

export interface Level {
  readonly price: Decimal;
  readonly quantity: Decimal;
}

/** A whole book window. It replaces the one before; it is never a difference. */
export interface OrderBook {
  readonly kind: 'orderbook';
  readonly exchange: string;
  readonly symbol: string;
  /** Best (highest price) first, strictly descending. */
  readonly bids: readonly Level[];
  /** Best (lowest price) first, strictly ascending. */
  readonly asks: readonly Level[];
  /** The venue's clock: when the book took this shape. */
  readonly timestamp: Nanoseconds;
  readonly receivedTimestamp: Nanoseconds;
  readonly streamType: StreamType | undefined;
  /** As the venue printed it; not summed by us. */
  readonly totalBidQuantity: Decimal | undefined;
  readonly totalAskQuantity: Decimal | undefined;
}

export const GAP_CAUSES = ['RECONNECT', 'SEQUENCE', 'BUFFER', 'UNDECODABLE', 'STALE', 'RETENTION'] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

/** A stretch in which something is missing, so that "nothing traded" and "we were not listening" differ. */
export interface Gap {
  readonly kind: 'gap';
  readonly exchange: string;
  /** Empty when it could not be read. */
  readonly symbol: string;
  readonly channel: Channel | undefined;
  /** Receive clock: the last frame before the loss. 0 when nothing is known of the time before. */
  readonly from: Nanoseconds;
  /** Receive clock: the first frame after the loss. */
  readonly to: Nanoseconds;
  /** Absent when a newer version wrote a cause that this one does not know. */
  readonly cause: GapCause | undefined;
  /** Records lost; 0 when unknown. */
  readonly missed: bigint;
  readonly missedVolume: Decimal | undefined;
  readonly detail: string;
}

export type MarketEvent = Tick | OrderBook | Gap;
