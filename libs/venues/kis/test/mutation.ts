import type { Random } from '@aipx/venue/simulation';
import { BOOK, frameOf, payloadOf, TRADE, widened, withFields } from './reading.js';
import { OPERATION_KRX } from './captured.js';

/** A frame of records that are told apart by what they say, and where each stands in its bytes. */
export interface KnownFrame {
  readonly bytes: Uint8Array;
  /** `[from, to)` of each record. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
}

const CODES = ['005930', '000660', '0193T0', 'Q530036', '066570'];
const KINDS = [
  { trId: 'H0STCNT0', fields: TRADE, widths: [46, 47, 47, 50] },
  { trId: 'H0NXCNT0', fields: TRADE, widths: [46, 47] },
  { trId: 'H0UNCNT0', fields: TRADE, widths: [46, 47] },
  { trId: 'H0STASP0', fields: BOOK, widths: [59, 62, 63, 63] },
  { trId: 'H0UNASP0', fields: BOOK, widths: [65, 66] },
  { trId: 'H0NXASP0', fields: BOOK, widths: [62, 65] },
  { trId: 'H0STMKO0', fields: payloadOf(OPERATION_KRX), widths: [10, 11] },
] as const;

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)] as T;
}

/** The widths of all streams on one connection, by TR id. */
export function randomWidths(random: Random): ReadonlyMap<string, number> {
  return new Map(KINDS.map(({ trId, widths }) => [trId, pick<number>(random, widths)]));
}

/** One sound record of each stream. */
export function soundFrames(widths: ReadonlyMap<string, number>): readonly Uint8Array[] {
  return KINDS.map(({ trId, fields }) => {
    const record = widened(fields, widths.get(trId) ?? fields.length);
    return new TextEncoder().encode(frameOf(trId, [record]));
  });
}

/** One to five sound records of one stream. */
export function randomFrame(random: Random, streamWidths: ReadonlyMap<string, number>): KnownFrame {
  const { trId, fields } = pick(random, KINDS);
  const width = streamWidths.get(trId) ?? fields.length;
  const count = 1 + Math.floor(random() * 5);
  const records = Array.from({ length: count }, () => {
    const changed: Record<number, string> = { 0: pick(random, CODES) };
    if (fields === TRADE) changed[13] = String(1_000_000 + Math.floor(random() * 1_000_000_000));
    if (fields === BOOK) changed[23] = String(1 + Math.floor(random() * 1_000_000_000));
    return widened(withFields(fields, changed), width).join('^');
  });
  const head = `0|${trId}|${String(count).padStart(3, '0')}|`;
  const encoder = new TextEncoder();
  const ranges: (readonly [number, number])[] = [];
  let at = head.length;
  for (const record of records) {
    const to = at + encoder.encode(record).length;
    ranges.push([at, to]);
    at = to + 1;
  }
  return { bytes: encoder.encode(head + records.join('^')), ranges };
}

const SCRAPS = [
  '^',
  '^^',
  '|',
  '(null)',
  '-',
  '.',
  '0',
  '9',
  '9'.repeat(40),
  '005930',
  '^005930^093000^',
  '\u0000',
  '가',
  '{',
  'Y',
];

/** The bytes with something done to those from `from` to `to`: changed, lost, doubled, inserted, broken UTF-8. */
export function mutate(random: Random, bytes: Uint8Array, from: number, to: number): Uint8Array {
  const at = from + Math.floor(random() * (to - from));
  const end = Math.min(to, at + 1 + Math.floor(random() ** 4 * (to - at)));
  const scrap = new TextEncoder().encode(pick(random, SCRAPS));
  switch (Math.floor(random() * 6)) {
    case 0:
      return splice(bytes, at, at + 1, Uint8Array.of(Math.floor(random() * 256)));
    case 1:
      return splice(bytes, at, end, new Uint8Array());
    case 2:
      return splice(bytes, at, at, scrap);
    case 3:
      return splice(bytes, at, end, scrap);
    case 4:
      return splice(bytes, at, at, bytes.subarray(at, end));
    default:
      return splice(bytes, at, at, Uint8Array.of(0x80 + Math.floor(random() * 0x80)));
  }
}

function splice(bytes: Uint8Array, from: number, to: number, middle: Uint8Array): Uint8Array {
  const result = new Uint8Array(from + middle.length + bytes.length - to);
  result.set(bytes.subarray(0, from));
  result.set(middle, from);
  result.set(bytes.subarray(to), from + middle.length);
  return result;
}
