import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { frame as upbitFrame } from './recording.js';

/** Fields of a trade and of a book as captured (KIS portal; ten levels a side), at the width since 2026-09-14. */
const TRADE =
  '005930^093354^71900^5^-100^-0.14^72023.83^72100^72400^71700^71900^71800^1^3052507^219853241700^5105^6937^1832^84.90^1366314^1159996^1^0.39^20.28^090020^5^-200^090820^5^-500^092619^2^200^20230612^20^N^65945^216924^1118750^2199206^0.05^2424142^125.92^0^^72100^2'.split(
    '^',
  );
const BOOK =
  '066570^121523^0^99100^99200^99300^99400^99500^99600^99700^99800^99900^100000^98900^98800^98700^98600^98500^98400^98300^98200^98100^98000^1244^1096^775^2090^3584^2831^4081^4526^5637^7314^1108^4129^4670^2050^1665^995^3837^678^1288^4068^33178^24488^0^0^0^0^6134^-97200^5^-100.00^354177^0^3930^0^0^0^99000^0^^2'.split(
    '^',
  );
const CODES = ['005930', '000660', '0193T0'];
/** A day that is over: 10:00 in Korea. */
const DATE = '20260922';
const FIRST_TIME = Date.UTC(2026, 8, 22, 1);

export interface MixedRecording {
  readonly path: string;
  readonly frames: number;
  readonly ticks: number;
  readonly books: number;
  /** Records that came before. */
  readonly repeated: number;
  /** Shares of trades that are not in it. */
  readonly missedVolume: number;
  /** Seconds since the epoch of the first book. */
  readonly firstBookAt: number;
}

/**
 * Frames of KIS and Upbit in turn, KIS with several trades a frame, every 50th trade repeated.
 *
 * @param holeEvery a trade is left out before each so manieth
 */
export function writeMixedRecording(folder: string, pairs: number, holeEvery = 100): MixedRecording {
  const made = new KisFrames(holeEvery);
  const lines: string[] = [];
  let upbitBooks = 0;
  for (let index = 0; index < pairs; index += 1) {
    const receivedAt = FIRST_TIME + index * 200;
    lines.push(
      lineOf('kis', made.frame(index, receivedAt), receivedAt),
      lineOf('upbit', upbitFrame(index), receivedAt),
    );
    if (index % 5 === 4) upbitBooks += 1;
    if (index % 40 === 0) {
      const pingPong = '{"header":{"tr_id":"PINGPONG","datetime":"20260922100000"}}';
      lines.push(lineOf('kis', pingPong, receivedAt));
    }
  }
  const path = join(folder, `mixed-${pairs}-${holeEvery}.jsonl`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return {
    path,
    frames: pairs * 2,
    ticks: made.ticks + pairs - upbitBooks,
    books: made.books + upbitBooks,
    repeated: made.repeated,
    missedVolume: made.missedVolume,
    firstBookAt: (FIRST_TIME + 4 * 200 - ((4 * 200) % 1_000)) / 1_000,
  };
}

class KisFrames {
  ticks = 0;
  books = 0;
  repeated = 0;
  missedVolume = 0;
  #made = 0;
  readonly #cumulative = new Map<string, number>();
  readonly #holeEvery: number;

  constructor(holeEvery: number) {
    this.#holeEvery = holeEvery;
  }

  frame(index: number, at: number): string {
    const code = CODES[index % CODES.length] ?? '';
    const time = new Date(at + 9 * 3_600_000).toISOString().slice(11, 19).replaceAll(':', '');
    if (index % 5 === 4) {
      this.books += 1;
      return `0|H0STASP0|001|${[code, time, ...BOOK.slice(2)].join('^')}`;
    }
    const records = Array.from({ length: 1 + (index % 3) }, () => this.#trade(code, time));
    const sent = this.#made % 50 === 0 ? [...records, records.at(-1)] : records;
    this.repeated += sent.length - records.length;
    return `0|H0STCNT0|${String(sent.length).padStart(3, '0')}|${sent.join('^')}`;
  }

  #trade(code: string, time: string): string {
    this.ticks += 1;
    this.#made += 1;
    const volume = 1 + (this.#made % 7);
    const isKnown = this.#cumulative.has(code);
    let before = this.#cumulative.get(code) ?? 1_000;
    if (this.#made % this.#holeEvery === 0 && isKnown) {
      before += 13;
      this.missedVolume += 13;
    }
    this.#cumulative.set(code, before + volume);
    const fields = [...TRADE];
    for (const [at, value] of [
      [0, code],
      [1, time],
      [12, volume],
      [13, before + volume],
      [33, DATE],
    ] as const)
      fields[at] = String(value);
    return fields.join('^');
  }
}

function lineOf(venue: string, frame: string, receivedAt: number): string {
  return JSON.stringify({ venue, received_at_ns: `${receivedAt}000000`, frame });
}
