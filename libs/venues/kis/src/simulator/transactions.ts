import type { Subscription } from '@aipx/venue';
import type { Segment } from './phases.js';

/** A real-time stream of the venue. */
export interface Transaction {
  readonly id: string;
  readonly segment: Segment;
  /** `operation`: state of trading; `quiet`: accepted, but the simulated market has nothing to say on it. */
  readonly content: Subscription['channel'] | 'operation' | 'quiet';
  /** Fields of a record since 2026-09-14. */
  readonly width: number;
  /** Whether its frames are encrypted on the wire. */
  readonly encrypted: boolean;
}

const LINES: readonly (readonly [id: string, segment: Segment, content: Transaction['content'], width: number])[] = [
  ['H0STCNT0', 'KRX', 'tick', 47],
  ['H0STASP0', 'KRX', 'orderbook', 63],
  ['H0STMKO0', 'KRX', 'operation', 10],
  ['H0STANC0', 'KRX', 'quiet', 45],
  ['H0NXCNT0', 'NXT', 'tick', 47],
  ['H0NXASP0', 'NXT', 'orderbook', 62],
  ['H0NXMKO0', 'NXT', 'operation', 10],
  ['H0UNCNT0', 'UN', 'tick', 47],
  ['H0UNASP0', 'UN', 'orderbook', 66],
  ['H0UNMKO0', 'UN', 'operation', 10],
  ['H0STCNI0', 'KRX', 'quiet', 26],
  ['H0STCNI9', 'KRX', 'quiet', 26],
];

export const TRANSACTIONS: ReadonlyMap<string, Transaction> = new Map(
  LINES.map(([id, segment, content, width]) => [
    id,
    { id, segment, content, width, encrypted: id.startsWith('H0STCNI') },
  ]),
);
