import type { LoggedRecord, SentFrame } from './records.ts';

/** One stream's frames against its records. */
export interface Alignment {
  /** Sent and in Kafka, in the order sent. */
  readonly arrived: readonly Arrival[];
  readonly missing: readonly SentFrame[];
  /** In Kafka, never sent. */
  readonly unknown: readonly LoggedRecord[];
  /** In Kafka once more than sent; each is the further copy. */
  readonly doubled: readonly LoggedRecord[];
  /** Sent and in Kafka, but behind one that was sent after it. */
  readonly outOfOrder: readonly LoggedRecord[];
}

export interface Arrival {
  readonly frame: SentFrame;
  readonly record: LoggedRecord;
  /** The venue sent nothing else like it on this stream, so that frame and record are surely the same. */
  readonly isUnique: boolean;
}

/** Pairs each record with a frame of its content that comes after the one before. */
export function align(sent: readonly SentFrame[], logged: readonly LoggedRecord[]): Alignment {
  const places = Map.groupBy(sent.keys(), (place) => contentAt(sent, place));
  const copies = new Map<string, number>();
  for (const { content } of logged) copies.set(content, (copies.get(content) ?? 0) + 1);
  const recordAt = new Map<number, LoggedRecord>();
  const unknown: LoggedRecord[] = [];
  const doubled: LoggedRecord[] = [];
  const outOfOrder: LoggedRecord[] = [];
  let last = -1;
  for (const record of logged) {
    const own = places.get(record.content) ?? [];
    const free = own.filter((place) => !recordAt.has(place));
    const copiesLeft = copies.get(record.content) ?? 0;
    copies.set(record.content, copiesLeft - 1);
    const later = free.filter((place) => place > last);
    const [earlier] = free;
    if (later.length > 0) {
      last = likeliest(sent, later, record, later.length - copiesLeft);
      recordAt.set(last, record);
    } else if (earlier !== undefined) {
      recordAt.set(earlier, record);
      outOfOrder.push(record);
    } else if (own.length > 0) {
      doubled.push(record);
    } else {
      unknown.push(record);
    }
  }
  const arrived: Arrival[] = [];
  const missing: SentFrame[] = [];
  for (const [place, frame] of sent.entries()) {
    const record = recordAt.get(place);
    if (record === undefined) missing.push(frame);
    else arrived.push({ frame, record, isUnique: places.get(frame.content)?.length === 1 });
  }
  return { arrived, missing, unknown, doubled, outOfOrder };
}

/**
 * Of frames that are alike: the first, or that of a later connection which stood already when the record was received,
 * for a snapshot that was lost is often sent alike on the next one.
 *
 * @param spare how many of the places may be left out, so that each further copy finds one too
 */
function likeliest(
  sent: readonly SentFrame[],
  places: readonly number[],
  { receivedAt }: LoggedRecord,
  spare: number,
): number {
  let [chosen = -1] = places;
  for (const place of places.slice(1, 1 + Math.max(0, spare))) {
    const frame = sent[place];
    if (frame === undefined || frame.sentAt > receivedAt) break;
    if (frame.connection !== sent[chosen]?.connection) chosen = place;
  }
  return chosen;
}

function contentAt(sent: readonly SentFrame[], place: number): string {
  return sent[place]?.content ?? '';
}
