import { BOOK, TRADE, type RecordKind } from '@aipx/venue-kis';
import { judged, notSeen, type Finding } from '../findings.ts';
import { excerpt } from '../redactor.ts';
import { recordsOf, type FrameCheck, type SeenFrame } from './frame.ts';
import { Tally } from './tally.ts';

interface CodeField {
  readonly name: string;
  readonly index: number;
  /** Every value that is documented. */
  readonly known: RegExp;
}

const SIGN = /^[1-5]$/;
const HOUR_CLASS = /^[0ABCD]$/;
const MARKET_CLASS = /^[1235]$/;

const TRADE_CODES: readonly CodeField[] = [
  { name: 'PRDY_VRSS_SIGN', index: TRADE.PRDY_VRSS_SIGN, known: SIGN },
  { name: 'CCLD_DVSN', index: TRADE.CCLD_DVSN, known: /^[135]$/ },
  { name: 'NEW_MKOP_CLS_CODE', index: TRADE.NEW_MKOP_CLS_CODE, known: /^[123478][012378]$/ },
  { name: 'TRHT_YN', index: TRADE.TRHT_YN, known: /^[YN]$/ },
  { name: 'HOUR_CLS_CODE', index: TRADE.HOUR_CLS_CODE, known: HOUR_CLASS },
  { name: 'MARKET_CLS_CODE', index: TRADE.MARKET_CLS_CODE, known: MARKET_CLASS },
];
const BOOK_CODES: readonly CodeField[] = [
  { name: 'HOUR_CLS_CODE', index: BOOK.HOUR_CLS_CODE, known: HOUR_CLASS },
  { name: 'ANTC_CNTG_VRSS_SIGN', index: BOOK.ANTC_CNTG_VRSS_SIGN, known: SIGN },
];
/** Documented for the KRX book only, and its place is not confirmed. */
const KRX_BOOK_MARKET_CLASS: CodeField = { name: 'MARKET_CLS_CODE', index: 62, known: MARKET_CLASS };

/** Values of code fields that stand in no table: the after-market of 2026 prints some that nobody has published. */
export class Codes implements FrameCheck {
  readonly #seen = { trade: new Tally(), orderbook: new Tally() };
  readonly #unknown = { trade: new Tally(), orderbook: new Tally() };

  see(frame: SeenFrame): void {
    const { stream } = frame;
    if (stream === undefined || stream.kind === 'operation') return;
    const fields = codeFields(stream.kind, stream.trId);
    for (const record of recordsOf(frame)) {
      for (const field of fields) this.#look(stream.kind, field, record[field.index] ?? '');
    }
  }

  findings(): readonly Finding[] {
    return [this.#finding('trade', 'codes.trade'), this.#finding('orderbook', 'codes.book')];
  }

  #look(kind: Exclude<RecordKind, 'operation'>, { name, known }: CodeField, value: string): void {
    if (value === '' || value === '(null)') return;
    if (known.test(value)) this.#seen[kind].add(`${name} ${value}`);
    else this.#unknown[kind].add(`${name} ${excerpt(value)}`);
  }

  #finding(kind: Exclude<RecordKind, 'operation'>, check: 'codes.trade' | 'codes.book'): Finding {
    const [seen, unknown] = [this.#seen[kind], this.#unknown[kind]];
    if (seen.size + unknown.size === 0) return notSeen(check, 'no frame came');
    return judged(check, 'documented values in every code field', unknown.texts(), grouped(seen.names));
  }
}

/** `CCLD_DVSN 1 5, TRHT_YN N` of names such as `CCLD_DVSN 1`. */
function grouped(names: readonly string[]): string {
  const groups = Map.groupBy(names.toSorted(), (name) => name.split(' ')[0]);
  return [...groups]
    .map(([field, values]) => [field, ...values.map((value) => value.split(' ')[1])].join(' '))
    .join(', ');
}

function codeFields(kind: RecordKind, trId: string): readonly CodeField[] {
  if (kind === 'trade') return TRADE_CODES;
  return trId === 'H0STASP0' ? [...BOOK_CODES, KRX_BOOK_MARKET_CLASS] : BOOK_CODES;
}
