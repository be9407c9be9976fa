import type { Layout } from '../layout/layout.js';
import type { PayloadFields } from './payload-fields.js';

/** A stretch of a payload's fields: one record, or what is left of one. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Why it is no record; absent where it is one. */
  readonly fault: string | undefined;
  /** Records that it stands for. Absent: one. */
  readonly records?: number;
}

export interface Spans {
  readonly spans: readonly Span[];
  /** Fields in each whole record. Absent when the frame is damaged: then its width says nothing of the venue. */
  readonly width: number | undefined;
}

/** The fields of a payload and what is known of its stream. */
export interface Payload {
  readonly fields: PayloadFields;
  readonly count: number | undefined;
  readonly layout: Layout;
  /** Widths of the stream's sound frames on this connection, the last one first. */
  readonly seenWidths: readonly number[];
  isSubscribed(code: string): boolean;
}

/** ETN codes are `Q` and six characters; new issues have letters. */
const CODE = /^[0-9A-Z]{6,7}$/;

export function isCode(text: string): boolean {
  return CODE.test(text);
}

/**
 * Cuts a payload into records. There is no separator between them: the width is fields / count, and it must be whole, no
 * smaller than the base layout, and lead to a known code at the start of every record. A frame for which that does not hold
 * has lost or gained fields somewhere and is quarantined: only records that begin with a known code and a sensible second
 * field and have a width known of the stream are taken out of it; every other stretch is a fault of its own.
 */
export function cutRecords(payload: Payload): Spans {
  const width = soundWidth(payload);
  if (width !== undefined) return { spans: evenSpans(payload.fields.length, width), width };
  const spans = salvage(payload);
  return { spans: [...spans, ...missing(payload.count, spans.length)], width: undefined };
}

function soundWidth(payload: Payload): number | undefined {
  const { fields, count, layout, seenWidths, isSubscribed } = payload;
  if (count === undefined) return undefined;
  const width = fields.length / count;
  if (!Number.isInteger(width) || width < layout.base) return undefined;
  const first = fields.at(0);
  for (let at = width; at < fields.length; at += width) {
    const code = fields.at(at);
    // The code of record 1 may just have been unsubscribed: then all its records are sound, and of nobody's interest.
    if (!isSubscribed(code) && code !== first) return undefined;
  }
  if (width === seenWidths[0] || layout.widths.includes(width)) return width;
  // A width never seen: new fields, or a wrong count. In the second case a record begins where none is announced.
  return recordStarts(payload).length === count ? width : undefined;
}

function evenSpans(total: number, width: number): readonly Span[] {
  const spans: Span[] = [];
  for (let from = 0; from < total; from += width) spans.push({ from, to: from + width, fault: undefined });
  return spans;
}

/** Where a record may begin, ascending. */
function recordStarts({ fields, layout, isSubscribed }: Payload): readonly number[] {
  const first = fields.at(0);
  const starts: number[] = [];
  for (let at = 0; at + 1 < fields.length; at += 1) {
    const code = fields.at(at);
    if (!isSubscribed(code) && !(code === first && isCode(code))) continue;
    if (layout.second.test(fields.at(at + 1))) starts.push(at);
  }
  return starts;
}

/** Most likely first. The announced one comes last: a damaged frame may be wrong about its count. */
function knownWidths({ fields, count, layout, seenWidths }: Payload): readonly number[] {
  const announced = fields.length / (count ?? Number.NaN);
  return [
    ...seenWidths,
    ...layout.widths,
    ...(Number.isInteger(announced) && announced >= layout.base ? [announced] : []),
  ];
}

/** Records of a damaged frame that are told apart: 19 have been seen in one, and a megabyte of garbage would hold 100,000. */
const MAX_SALVAGED = 1_000;

function salvage(payload: Payload): readonly Span[] {
  const total = payload.fields.length;
  const starts = recordStarts(payload);
  const isStart = new Set(starts);
  const endsWell = (end: number) => end === total || isStart.has(end);
  const usual = usualWidth(total, starts, knownWidths(payload));
  const spans: Span[] = [];
  let following = 0;
  for (let at = 0; at < total;) {
    if (spans.length === MAX_SALVAGED) {
      spans.push({ from: at, to: total, fault: `stands behind ${MAX_SALVAGED} records of a damaged frame` });
      break;
    }
    while (following < starts.length && (starts[following] as number) <= at) following += 1;
    const next = starts[following] ?? total;
    const width = isStart.has(at) ? wholeWidth(next - at, usual, endsWell(at + usual), payload) : undefined;
    const to = width === undefined ? Math.min(at + usual, next) : at + width;
    spans.push(width === undefined ? fault(at, to, usual) : { from: at, to, fault: undefined });
    at = to;
  }
  return spans;
}

/**
 * Fields of a record that begins `toNext` before another, or the end; `undefined` when it is too short. Best it has the usual
 * width. Where it has not, or what follows has lost its own beginning, the content says whether it is whole.
 */
function wholeWidth(toNext: number, usual: number, endsWell: boolean, payload: Payload): number | undefined {
  if (endsWell) return usual;
  if (toNext > usual) return knownWidths(payload).includes(toNext) ? toNext : usual;
  return toNext >= payload.layout.base ? toNext : undefined;
}

/** The known width that leads most often from the start of a record to the next one; the likeliest when none does. */
function usualWidth(total: number, starts: readonly number[], widths: readonly number[]): number {
  const distances = starts.map((start, index) => (starts[index + 1] ?? total) - start);
  const frequency = (width: number) => distances.filter((distance) => distance === width).length;
  return widths.reduce((best, width) => (frequency(width) > frequency(best) ? width : best));
}

function fault(from: number, to: number, width: number): Span {
  const found = to - from;
  const reason =
    found === width
      ? 'begins with no subscribed code: the frame is shifted, or the code is damaged'
      : `has ${found} of ${width} fields`;
  return { from, to, fault: reason };
}

/** One fault for all of them: a damaged count may be a million. */
function missing(count: number | undefined, found: number): readonly Span[] {
  if (count === undefined || found >= count) return [];
  const fault = `is missing: the frame announces ${count} and holds ${found}`;
  return [{ from: 0, to: 0, fault, records: count - found }];
}
