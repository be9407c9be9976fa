import { open, type FileHandle } from 'node:fs/promises';
import { MarketDataError } from '@aipx/market-model';
import type { SimulatedEvent, SimulatedRecord } from '@aipx/venue/simulation';

/** What a data frame was: an event of the market, a line of the recording, or a fault. */
export type Subject =
  | Pick<SimulatedEvent, 'symbol' | 'channel' | 'segment' | 'snapshot' | 'reference' | 'records'>
  | { readonly line: number }
  | { readonly fault: string };

export interface JournalOptions {
  readonly path: string;
  /** Whether each line also carries the frame's text. @default false */
  readonly frames?: boolean;
}

const WRITE_AT_CHARACTERS = 64 * 1024;
const WRITE_AFTER_MS = 200;
const HIGH_WATER_CHARACTERS = 4 * 1024 * 1024;

/**
 * What was sent, for an auditor: JSON lines, numbered from 1 in the order in which the frames were handed to their
 * sockets. `{"seq":1,"sent_at_ns":"…","connection":"c1","symbol":"KRW-BTC","channel":"tick","snapshot":true,"ref":"…"}`;
 * `ref` is the trade's id or the book's time in ms. `segment` stands where the venue has several, and
 * `"records":[{"ref":"…","volume":1,"cumulative":9,"fate":"sent"}]` where a frame has several records or leaves some out.
 * A recorded frame has `line` instead, a fault `fault`.
 */
export class Journal {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #withFrames: boolean;
  #seq = 0;
  #lines = '';
  #writtenAt = performance.now();
  #queued = 0;
  #writing: Promise<void> = Promise.resolve();
  #error: MarketDataError | undefined;

  private constructor(file: FileHandle, { path, frames = false }: JournalOptions) {
    this.#file = file;
    this.#path = path;
    this.#withFrames = frames;
  }

  /** Begins a new journal; an older one at the same path is overwritten. */
  static async open(options: JournalOptions): Promise<Journal> {
    try {
      return new Journal(await open(options.path, 'w'), options);
    } catch (cause) {
      throw new MarketDataError('CONFIG_INVALID', `the simulator's journal ${options.path} cannot be written`, {
        cause,
      });
    }
  }

  record(connection: string, subject: Subject, frame: Uint8Array): void {
    this.#seq += 1;
    this.#lines += `{"seq":${this.#seq},"sent_at_ns":"${nowNanos()}","connection":"${connection}",${subjectText(subject)}`;
    this.#lines += this.#withFrames ? `,"frame":${JSON.stringify(Buffer.from(frame).toString('utf8'))}}\n` : '}\n';
    if (this.#lines.length >= WRITE_AT_CHARACTERS || performance.now() - this.#writtenAt > WRITE_AFTER_MS)
      this.#write();
  }

  /** Waits while more is queued than the disk takes, so that the buffer stays bounded. */
  async settle(): Promise<void> {
    if (this.#queued > HIGH_WATER_CHARACTERS) await this.#writing;
    if (this.#error !== undefined) throw this.#error;
  }

  /** Everything recorded is in the file when this resolves. */
  async close(): Promise<void> {
    this.#write();
    await this.#writing;
    await this.#file.close();
    if (this.#error !== undefined) throw this.#error;
  }

  #write(): void {
    const lines = this.#lines;
    this.#lines = '';
    this.#writtenAt = performance.now();
    if (lines === '') return;
    this.#queued += lines.length;
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#file.appendFile(lines);
      } catch (cause) {
        this.#error ??= new MarketDataError('STORE_UNAVAILABLE', `the journal ${this.#path} cannot be written`, {
          cause,
        });
      }
      this.#queued -= lines.length;
    });
  }
}

function subjectText(subject: Subject): string {
  if ('line' in subject) return `"line":${subject.line}`;
  if ('fault' in subject) return `"fault":"${subject.fault}"`;
  const { symbol, channel, segment, snapshot, reference, records } = subject;
  const market = segment === undefined ? '' : `,"segment":"${segment}"`;
  const parts = records === undefined ? '' : `,"records":[${records.map(recordText).join(',')}]`;
  return `"symbol":"${symbol}","channel":"${channel}"${market},"snapshot":${snapshot},"ref":"${reference}"${parts}`;
}

function recordText({ reference, volume, cumulative, fate }: SimulatedRecord): string {
  return `{"ref":"${reference}","volume":${volume},"cumulative":${cumulative},"fate":"${fate}"}`;
}

/** Wall clock with microseconds, as precise as a double holds it. */
function nowNanos(): string {
  return `${Math.round((performance.timeOrigin + performance.now()) * 1000)}000`;
}
