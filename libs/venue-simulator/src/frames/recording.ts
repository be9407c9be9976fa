import { isUtf8 } from 'node:buffer';
import type { SimulatedVenue } from '@aipx/venue/simulation';
import { readLines, type Line } from './lines.js';

/** One line of a recording and the venue it belongs to. */
export interface RecordedLine extends Line {
  /** The venue it names; for a line that names none, the venue of the line before it, at the head the first one named. */
  readonly venue: string;
  /** The recorded frame, or `undefined` when the line is not of the right shape: then its bytes stand for a broken frame. */
  readonly frame: string | undefined;
  /** When it was received, ms since the epoch; absent where the line does not say. */
  readonly receivedAtMs: number | undefined;
}

/** What a line must look like, for messages. */
export const EXPECTED_SHAPE =
  'one JSON object a line such as {"venue":"upbit","received_at_ns":"1618678263010785000","frame":"{…}"}';

/** What is played for a line. */
export function playedBytes({ frame, bytes }: RecordedLine): Buffer {
  return frame === undefined ? bytes : Buffer.from(frame, 'utf8');
}

/** Whether a line is played to a client of this venue: recorded protocol talk is not. */
export function isPlayedTo(simulated: SimulatedVenue, { venue, frame }: RecordedLine): boolean {
  return venue === simulated.id && (frame === undefined || simulated.isData(frame));
}

/**
 * The first frames of a recording that are played to a client of this venue, some at a time.
 *
 * @throws {MarketDataError} `CONFIG_FRAMES_FILE` when the file cannot be read
 */
export async function* firstFrames(
  path: string,
  venue: SimulatedVenue,
  count: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Buffer[], void> {
  let left = count;
  if (left <= 0) return;
  for await (const lines of readRecording(path, signal)) {
    const played = lines.filter((line) => isPlayedTo(venue, line)).slice(0, left);
    yield played.map(playedBytes);
    left -= played.length;
    if (left <= 0) return;
  }
}

/**
 * A recording, some lines at a time. Yields nothing when no line is of the right shape.
 *
 * @throws {MarketDataError} `CONFIG_FRAMES_FILE`, see `readLines`
 */
export async function* readRecording(
  path: string,
  signal: AbortSignal,
  onChunk?: (chunk: Buffer) => void,
): AsyncGenerator<readonly RecordedLine[], void> {
  let venue = await firstVenue(path, signal);
  if (venue === undefined) return;
  for await (const lines of readLines(path, signal, onChunk)) {
    const recorded: RecordedLine[] = [];
    for (const { number, bytes } of lines) {
      const parsed = parseLine(bytes);
      if (parsed !== undefined) venue = parsed.venue;
      recorded.push({ number, bytes, venue, frame: parsed?.frame, receivedAtMs: parsed?.receivedAtMs });
    }
    yield recorded;
  }
}

async function firstVenue(path: string, signal: AbortSignal): Promise<string | undefined> {
  for await (const lines of readLines(path, signal)) {
    for (const { bytes } of lines) {
      const parsed = parseLine(bytes);
      if (parsed !== undefined) return parsed.venue;
    }
  }
  return undefined;
}

interface ParsedLine {
  readonly venue: string;
  readonly frame: string;
  readonly receivedAtMs: number | undefined;
}

/** `undefined` for anything but an object with the texts `venue` and `frame`. A missing time only costs the pacing. */
function parseLine(bytes: Buffer): ParsedLine | undefined {
  // Decoding replaces what is not UTF-8, so it has to be found before.
  if (!isUtf8(bytes)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { venue, frame, received_at_ns: receivedAt } = parsed as Readonly<Record<string, unknown>>;
  if (typeof venue !== 'string' || typeof frame !== 'string') return undefined;
  return { venue, frame, receivedAtMs: toMillis(receivedAt) };
}

/** Only differences of a few ms matter here, so a double is precise enough. */
function toMillis(nanoseconds: unknown): number | undefined {
  const millis = typeof nanoseconds === 'string' || typeof nanoseconds === 'number' ? Number(nanoseconds) / 1e6 : NaN;
  return Number.isFinite(millis) && millis > 0 ? millis : undefined;
}
