import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MarketDataError } from '@aipx/market-model';
import { SpillQueue, type SpilledEntry, type SpillEntry, type SpillQueueOptions } from '../src/spill/spill-queue.js';

const HEADERS = Object.freeze({ exchange: 'upbit', schema: 'aipx.market.v1.TickData' });
export const ALL = { maxRecords: 1_000_000, maxBytes: 1_000_000_000 };

/** The entry says its number in its value, before `padding` bytes. */
export function spillEntry(number: number, padding = 0): SpillEntry {
  return {
    topic: 'market.tick',
    key: `KRW-${number % 7}`,
    value: Buffer.concat([Buffer.from(`${number};`), Buffer.alloc(padding, number % 256)]),
    headers: HEADERS,
    receivedAt: 1_700_000_000_000_000_000n + BigInt(number),
  };
}

export function spillEntries(from: number, to: number, padding = 0): SpillEntry[] {
  return Array.from({ length: to - from }, (_, index) => spillEntry(from + index, padding));
}

export function numberOf(value: Uint8Array): number {
  return Number.parseInt(Buffer.from(value).toString('latin1'), 10);
}

export function numbersOf(entries: Iterable<SpilledEntry>): number[] {
  return Array.from(entries, ({ entry }) => numberOf(entry.value));
}

export function sequencesOf(entries: Iterable<SpilledEntry>): bigint[] {
  return Array.from(entries, ({ sequence }) => sequence);
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/** Queues in folders of their own, which go away with it. */
export class SpillFixture {
  readonly path = mkdtempSync(join(tmpdir(), 'spill-'));
  readonly told: MarketDataError[] = [];
  readonly #open: SpillQueue[] = [];
  #copies = 0;

  get folder(): string {
    return join(this.path, 'spill');
  }

  open(options: Partial<SpillQueueOptions> = {}): SpillQueue {
    const queue = SpillQueue.open({
      folder: this.folder,
      maxBytes: 64 * 1024 * 1024,
      onDamage: (error) => this.told.push(error),
      ...options,
    });
    this.#open.push(queue);
    return queue;
  }

  /** What another process would find if this one were killed now. */
  copy(folder: string): string {
    this.#copies += 1;
    const copy = join(this.path, `copy-${this.#copies}`);
    cpSync(folder, copy, { recursive: true });
    return copy;
  }

  closeAll(): void {
    for (const queue of this.#open) queue.close();
  }

  dispose(): void {
    this.closeAll();
    rmSync(this.path, { recursive: true, force: true });
  }
}
