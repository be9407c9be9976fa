import { createHash } from 'node:crypto';
import { MarketDataError } from '@aipx/market-model';
import type { SimulatedVenue } from '@aipx/venue/simulation';
import { EXPECTED_SHAPE, readRecording, type RecordedLine } from './recording.js';
import { readLines } from './lines.js';

/** What a file of recorded frames holds. */
export interface FramesInspection {
  /** SHA-256 of the file's bytes, hexadecimal. */
  readonly contentHash: string;
  /** Lines that are not empty. */
  readonly lines: number;
  /** What will be played, broken lines included, all venues together. */
  readonly dataFrames: number;
  /** Recorded protocol talk (heartbeats, errors), which is left out. */
  readonly controlFrames: number;
  /** Lines of another shape, which are played as they are. */
  readonly brokenLines: number;
  /** By venue id, in order of first appearance. */
  readonly venues: ReadonlyMap<string, InspectedVenue>;
}

export interface InspectedVenue {
  readonly dataFrames: number;
  /** Every code that could be read, sorted. */
  readonly symbols: readonly string[];
  /**
   * About when a data frame was received, ms since the epoch: at most a minute before the file says. `undefined` where the
   * file does not say.
   *
   * @param frame counted from 0, as they are played
   */
  recordedAtMs(frame: number): number | undefined;
}

/**
 * Reads a file of recorded frames once, from end to end, before anything is started with it.
 *
 * @throws {MarketDataError} `CONFIG_FRAMES_FILE`, naming the file and where possible the line: it cannot be read, is
 * empty, has no line of the right shape, or names a venue that is not among `venues`
 */
export async function inspectFrames(
  path: string,
  { venues }: { readonly venues: readonly SimulatedVenue[] },
  signal: AbortSignal,
): Promise<FramesInspection> {
  const known = new Map(venues.map((venue) => [venue.id, venue]));
  const hash = createHash('sha256');
  const tally = new Tally();
  for await (const lines of readRecording(path, signal, (chunk) => hash.update(chunk))) {
    for (const line of lines) {
      const venue = known.get(line.venue);
      if (venue === undefined) throw unknownVenue(path, line, [...known.keys()]);
      tally.count(line, venue);
    }
  }
  if (tally.lines === 0) throw await nothingToPlay(path, signal);
  return { contentHash: hash.digest('hex'), ...tally.result() };
}

class Tally {
  lines = 0;
  #controlFrames = 0;
  #brokenLines = 0;
  readonly #venues = new Map<
    string,
    { dataFrames: number; readonly symbols: Set<string>; readonly minutes: FrameMinutes }
  >();

  count(line: RecordedLine, venue: SimulatedVenue): void {
    this.lines += 1;
    let counted = this.#venues.get(venue.id);
    if (counted === undefined)
      this.#venues.set(venue.id, (counted = { dataFrames: 0, symbols: new Set(), minutes: new FrameMinutes() }));
    if (line.frame === undefined) {
      this.#brokenLines += 1;
    } else if (!venue.isData(line.frame)) {
      this.#controlFrames += 1;
      return;
    } else {
      for (const symbol of venue.symbolsIn(line.frame)) counted.symbols.add(symbol);
    }
    counted.minutes.note(counted.dataFrames, line.receivedAtMs);
    counted.dataFrames += 1;
  }

  result(): Omit<FramesInspection, 'contentHash'> {
    const venues = [...this.#venues].map(([id, { dataFrames, symbols, minutes }]): [string, InspectedVenue] => {
      const recordedAtMs = (frame: number) => minutes.at(frame);
      return [id, { dataFrames, symbols: [...symbols].sort(), recordedAtMs }];
    });
    return {
      lines: this.lines,
      dataFrames: this.lines - this.#controlFrames,
      controlFrames: this.#controlFrames,
      brokenLines: this.#brokenLines,
      venues: new Map(venues),
    };
  }
}

const MINUTE_MS = 60_000;

/** The first frame of each minute, and when it came: a recorded day is a thousand of them. */
class FrameMinutes {
  readonly #minutes: { readonly frame: number; readonly at: number }[] = [];

  note(frame: number, at: number | undefined): void {
    const last = this.#minutes.at(-1);
    if (at === undefined || (last !== undefined && Math.abs(at - last.at) < MINUTE_MS)) return;
    this.#minutes.push({ frame, at });
  }

  at(frame: number): number | undefined {
    let [low, high] = [0, this.#minutes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#minutes[middle]?.frame ?? 0) <= frame) low = middle + 1;
      else high = middle;
    }
    return this.#minutes[Math.max(0, low - 1)]?.at;
  }
}

async function nothingToPlay(path: string, signal: AbortSignal): Promise<MarketDataError> {
  let first: number | undefined;
  for await (const lines of readLines(path, signal)) {
    first = lines[0]?.number;
    if (first !== undefined) break;
  }
  return new MarketDataError(
    'CONFIG_FRAMES_FILE',
    first === undefined
      ? `frames file ${path} is empty; expected ${EXPECTED_SHAPE}`
      : `frames file ${path} holds no recorded frame, from line ${first} on; expected ${EXPECTED_SHAPE}`,
    { context: { path } },
  );
}

function unknownVenue(path: string, line: RecordedLine, known: readonly string[]): MarketDataError {
  return new MarketDataError(
    'CONFIG_FRAMES_FILE',
    `frames file ${path}, line ${line.number}: venue ${JSON.stringify(line.venue)} is not known; expected one of ${known.join(', ')}`,
    { context: { path, line: line.number } },
  );
}
