import type { Channel } from '@aipx/market-model';
import { BOOK_FIELDS } from './order-book.js';
import type { Layout } from './layout.js';
import { OPERATION_FIELDS } from './market-operation.js';
import { TRADE_FIELDS } from './trade.js';

/** Korea Exchange, Nextrade, and both in one stream. */
export type Segment = 'KRX' | 'NXT' | 'UN';
export type RecordKind = 'trade' | 'orderbook' | 'operation';

/** A real-time stream of domestic stocks (KIS calls it a TR). */
export interface Stream {
  readonly trId: string;
  readonly segment: Segment;
  readonly kind: RecordKind;
  /** Absent where the stream has no market data of its own. */
  readonly channel: Channel | undefined;
  readonly layout: Layout;
}

const TIME = /^([01]\d|2[0-3])[0-5]\d[0-5]\d$/;
const FLAG = /^[YN]$/;

/** 46 fields until 2026-09-11, 47 since 2026-09-14 (measured for KRX; for NXT and UN documented by the portal only). */
const TRADE_LAYOUT: Layout = { base: TRADE_FIELDS.length - 1, widths: [47, 46], second: TIME };

const OPERATION_LAYOUT: Layout = { base: OPERATION_FIELDS.length - 1, widths: [10, 11], second: FLAG };

/** 59 in the official samples; the present width comes first and only that of KRX has been measured. */
function bookLayout(...widths: readonly number[]): Layout {
  return { base: BOOK_FIELDS.length, widths, second: TIME };
}

/**
 * Every stream that this driver reads, by TR id. Widths: official samples, captures and the portal of September 2026. Those
 * of `H0UN…` and `H0NX…` after 2026-09-14 are documented but not captured; for `H0NXASP0` the sources disagree (62 or 65).
 */
export const STREAMS: ReadonlyMap<string, Stream> = new Map(
  [
    stream('H0STCNT0', 'KRX', 'trade', TRADE_LAYOUT),
    stream('H0UNCNT0', 'UN', 'trade', TRADE_LAYOUT),
    stream('H0NXCNT0', 'NXT', 'trade', TRADE_LAYOUT),
    stream('H0STASP0', 'KRX', 'orderbook', bookLayout(63, 62, 59)),
    stream('H0UNASP0', 'UN', 'orderbook', bookLayout(66, 65)),
    stream('H0NXASP0', 'NXT', 'orderbook', bookLayout(62, 65)),
    stream('H0STMKO0', 'KRX', 'operation', OPERATION_LAYOUT),
    stream('H0UNMKO0', 'UN', 'operation', OPERATION_LAYOUT),
    stream('H0NXMKO0', 'NXT', 'operation', OPERATION_LAYOUT),
  ].map((one) => [one.trId, one]),
);

function stream(trId: string, segment: Segment, kind: RecordKind, layout: Layout): Stream {
  const channel = kind === 'trade' ? 'tick' : kind === 'orderbook' ? 'orderbook' : undefined;
  return { trId, segment, kind, channel, layout };
}
