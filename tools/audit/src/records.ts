import { Big } from 'big.js';

/** A trade or a book as the auditor sees it: plain text, in no spelling in particular. */
export interface AuditTick {
  readonly symbol: string;
  readonly id: string;
  readonly price: string;
  readonly volume: string;
  readonly side: string;
  /** Epoch milliseconds of the execution. */
  readonly time: string;
  /** Signed; empty when the venue does not say. */
  readonly change: string;
}

export interface AuditBook {
  readonly symbol: string;
  readonly time: string;
  /** `price quantity`, best first. */
  readonly bids: readonly string[];
  readonly asks: readonly string[];
  readonly totalBid: string;
  readonly totalAsk: string;
}

export interface Holdings {
  readonly ticks: readonly AuditTick[];
  /** In the order in which they stand in the log, per symbol. */
  readonly books: readonly AuditBook[];
}

/** Whether two texts are the same number; also true when both are empty. */
export function sameNumber(a: string, b: string): boolean {
  if (a === b) return true;
  if (a === '' || b === '') return false;
  return new Big(a).eq(new Big(b));
}

export function sameLevels(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((level, index) => sameLevel(level, b[index] ?? ''));
}

function sameLevel(a: string, b: string): boolean {
  if (a === b) return true;
  const [aPrice = '', aQuantity = ''] = a.split(' ');
  const [bPrice = '', bQuantity = ''] = b.split(' ');
  return sameNumber(aPrice, bPrice) && sameNumber(aQuantity, bQuantity);
}
