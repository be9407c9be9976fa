import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { AuditBook, AuditTick, Holdings } from '../records.ts';
import type { FrameContents } from './contents.ts';
import { readKisFrame } from './kis.ts';
import { readUpbitFrame } from './upbit.ts';

export interface RecordedFrames {
  /** By venue id. */
  readonly venues: ReadonlyMap<string, Holdings>;
  /** Frames that cannot be read: the product must have rejected exactly those. */
  readonly unreadable: number;
}

/** How a venue's frames are read. */
const READERS: Readonly<Record<string, (frame: string, receivedAtNs: string) => FrameContents>> = {
  upbit: readUpbitFrame,
  kis: readKisFrame,
};

/** KIS tells repeated trades by their numbers, so the product leaves them out; those of Upbit are kept in the lake. */
const LEAVES_OUT_REPEATED: ReadonlySet<string> = new Set(['kis']);

interface Held {
  readonly ticks: AuditTick[];
  readonly books: AuditBook[];
  readonly seen: Set<string>;
}

/** The trades and books in a file of recorded frames. */
export async function readFrames(path: string): Promise<RecordedFrames> {
  const venues = new Map<string, Held>();
  let unreadable = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    try {
      read(line, venues);
    } catch {
      unreadable += 1;
    }
  }
  return { venues, unreadable };
}

function read(line: string, venues: Map<string, Held>): void {
  const {
    venue = 'upbit',
    frame,
    ...rest
  } = JSON.parse(line) as { venue?: string; frame: string; received_at_ns?: string };
  const contents = READERS[venue]?.(frame, rest.received_at_ns ?? '0');
  if (contents === undefined) throw new RangeError(`frames of ${venue} are not read`);
  let held = venues.get(venue);
  if (held === undefined) venues.set(venue, (held = { ticks: [], books: [], seen: new Set() }));
  for (const tick of contents.ticks) {
    const name = `${tick.symbol} ${tick.id}`;
    if (LEAVES_OUT_REPEATED.has(venue) && held.seen.has(name)) continue;
    held.seen.add(name);
    held.ticks.push(tick);
  }
  held.books.push(...contents.books);
}
