import type { Nanoseconds } from '@aipx/market-model';
import {
  DataReader,
  SessionCalendar,
  splitFrame,
  STREAMS,
  type Frame,
  type RecordReading,
  type Stream,
} from '@aipx/venue-kis';
import type { Finding } from '../findings.ts';
import { nameOf, type Registration } from '../session/request.ts';

/** A data frame, taken apart, and what the driver's reader makes of it. */
export interface SeenFrame {
  readonly bytes: Uint8Array;
  readonly receivedAt: Nanoseconds;
  /** `undefined`: a stream that nobody asked for, or no frame at all. */
  readonly stream: Stream | undefined;
  /** Of a plain frame; none where it is encrypted. */
  readonly fields: readonly string[];
  /** As the frame announces. */
  readonly count: number | undefined;
  /** Fields / count. `undefined`: that is no whole number. */
  readonly width: number | undefined;
  readonly records: readonly RecordReading[];
}

/** Looks at every frame of a run and says at the end what it found. */
export interface FrameCheck {
  see(frame: SeenFrame): void;
  findings(): readonly Finding[];
}

/** Takes frames apart. */
export class FrameReader {
  readonly #reader: DataReader;

  constructor(registrations: readonly Registration[]) {
    const names = new Set(registrations.map(nameOf));
    const calendar = new SessionCalendar();
    this.#reader = new DataReader({
      isSubscribed: (trId, code) => names.has(nameOf({ trId, code })),
      dateOfQuote: (time, receivedAt) => calendar.dateOfQuote(time, receivedAt),
    });
  }

  read(bytes: Uint8Array, receivedAt: Nanoseconds): SeenFrame {
    const frame = split(bytes);
    const fields = frame === undefined || frame.encrypted ? [] : frame.payload.split('^');
    const width = fields.length / (frame?.count ?? Number.NaN);
    return {
      bytes,
      receivedAt,
      stream: frame && STREAMS.get(frame.trId),
      fields,
      count: frame?.count,
      width: Number.isInteger(width) && width > 0 ? width : undefined,
      records: this.#reader.read(bytes, receivedAt).records,
    };
  }
}

/** The records of a frame, field by field; none where its width is not whole. */
export function recordsOf({ fields, width, count }: SeenFrame): readonly (readonly string[])[] {
  if (width === undefined || count === undefined) return [];
  return Array.from({ length: count }, (_, index) => fields.slice(index * width, (index + 1) * width));
}

function split(bytes: Uint8Array): Frame | undefined {
  try {
    return splitFrame(bytes);
  } catch {
    return undefined;
  }
}
