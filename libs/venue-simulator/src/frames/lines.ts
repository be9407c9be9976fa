import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { MarketDataError } from '@aipx/market-model';

/** One line of a file, without its line feed. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly bytes: Buffer;
}

const CHUNK_BYTES = 1024 * 1024;
/** Longer than any message of a venue; a file that holds a longer line is not a recording. */
const LONGEST_LINE_BYTES = 8 * 1024 * 1024;
const LINE_FEED = 10;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The lines of a file, some at a time; never the whole file in memory. Empty lines are left out but counted.
 *
 * @param onChunk sees every byte of the file in order, for a hash
 * @throws {MarketDataError} `CONFIG_FRAMES_FILE` when the file cannot be read or a line is longer than 8 MiB
 */
export async function* readLines(
  path: string,
  signal: AbortSignal,
  onChunk: (chunk: Buffer) => void = () => undefined,
): AsyncGenerator<readonly Line[], void> {
  let number = 1;
  let rest: Buffer = Buffer.alloc(0);
  const take = (bytes: Buffer): Line => {
    if (bytes.length > LONGEST_LINE_BYTES) throw tooLong(path, number);
    return { number: number++, bytes };
  };
  for await (const chunk of readChunks(path, signal)) {
    onChunk(chunk);
    const lines: Line[] = [];
    const text = rest.length === 0 ? withoutMark(chunk, number) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = text.indexOf(LINE_FEED); end !== -1; end = text.indexOf(LINE_FEED, start)) {
      lines.push(take(text.subarray(start, end)));
      start = end + 1;
    }
    rest = text.subarray(start);
    if (rest.length > LONGEST_LINE_BYTES) throw tooLong(path, number);
    yield lines.filter(isNotBlank);
  }
  if (rest.length > 0) yield [take(rest)].filter(isNotBlank);
}

async function* readChunks(path: string, signal: AbortSignal): AsyncGenerator<Buffer, void> {
  try {
    await refuseEndless(path);
    const stream = createReadStream(path, { highWaterMark: CHUNK_BYTES, signal });
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (cause) {
    signal.throwIfAborted();
    throw new MarketDataError('CONFIG_FRAMES_FILE', `frames file ${path} ${complaint(cause)}`, {
      cause,
      context: { path },
    });
  }
}

/** Opening a pipe would wait for its writer, whatever the signal says; and a recording is read more than once. */
async function refuseEndless(path: string): Promise<void> {
  const entry = await stat(path);
  if (!entry.isFile() && !entry.isDirectory()) {
    throw new TypeError('it is a pipe, a socket or a device; expected a file of JSON lines');
  }
}

const COMPLAINTS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a directory; expected a file of JSON lines',
  EACCES: 'may not be read by this user',
};

function complaint(cause: unknown): string {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return COMPLAINTS[code] ?? `cannot be read: ${message}`;
}

/** Editors of some systems put a byte order mark at the head of a file; it belongs to no line. */
function withoutMark(chunk: Buffer, number: number): Buffer {
  return number === 1 && chunk.subarray(0, 3).equals(BYTE_ORDER_MARK) ? chunk.subarray(3) : chunk;
}

function isNotBlank({ bytes }: Line): boolean {
  return bytes.some((byte) => byte !== 32 && byte !== 9 && byte !== 13);
}

function tooLong(path: string, line: number): MarketDataError {
  return new MarketDataError(
    'CONFIG_FRAMES_FILE',
    `frames file ${path}, line ${line} is longer than 8 MiB; expected one recorded frame a line`,
    { context: { path, line } },
  );
}
