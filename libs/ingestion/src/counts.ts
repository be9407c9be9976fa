/** What one venue's frames came to. Each record is counted once, in one of the fields below `received`, or `ignored`. */
export interface VenueCounts {
  /** Market-data frames read, those that yield nothing included. */
  frames: number;
  /** Records of trade and book frames; a frame that cannot be decoded is one. Without the ignored ones. */
  received: number;
  tick: number;
  orderbook: number;
  /** Sound data of a symbol or channel that was not subscribed. */
  ignored: number;
  /** Sound data that came before. */
  repeated: number;
  /** Not decodable or against the rules of an event: kept as dead letters. */
  rejected: number;
  /** No records: how often the venue behaved otherwise than is known of it. */
  notices: number;
}

export function zeroVenueCounts(): VenueCounts {
  return { frames: 0, received: 0, tick: 0, orderbook: 0, ignored: 0, repeated: 0, rejected: 0, notices: 0 };
}
