import type { WaitingRecord } from './waiting-record.js';

/** What waits for one partition, oldest first. Books and gaps can be replaced where they stand. */
export class RecordQueue {
  #records: WaitingRecord[] = [];
  #bytes = 0;
  /** Where the last record of a `replaceKey` stands. */
  readonly #places = new Map<unknown, number>();

  get length(): number {
    return this.#records.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): WaitingRecord | undefined {
    return this.#records[0];
  }

  list(): readonly WaitingRecord[] {
    return this.#records;
  }

  push(record: WaitingRecord): void {
    if (record.replaceKey !== undefined) this.#places.set(record.replaceKey, this.#records.length);
    this.#records.push(record);
    this.#bytes += record.bytes;
  }

  /** The last waiting record of the key. */
  latest(replaceKey: unknown): WaitingRecord | undefined {
    const place = this.#places.get(replaceKey);
    return place === undefined ? undefined : this.#records[place];
  }

  /** Puts a record in the place of the last waiting one of its key. */
  replaceLatest(record: WaitingRecord): void {
    const place = this.#places.get(record.replaceKey);
    const old = place === undefined ? undefined : this.#records[place];
    if (place === undefined || old === undefined) return this.push(record);
    this.#records[place] = record;
    this.#bytes += record.bytes - old.bytes;
  }

  /** The oldest records, at least one if there is any, within both bounds. */
  take(maxRecords: number, maxBytes: number): WaitingRecord[] {
    let count = 0;
    let bytes = 0;
    for (const record of this.#records) {
      bytes += record.bytes;
      if (count > 0 && (count === maxRecords || bytes > maxBytes)) break;
      count += 1;
    }
    const taken = this.#records;
    this.#reset(taken.splice(count));
    return taken;
  }

  /** Puts records back in front, as they were taken. */
  putBack(records: readonly WaitingRecord[]): void {
    this.#reset([...records, ...this.#records]);
  }

  /** Takes out what the condition holds for, in order. */
  remove(condition: (record: WaitingRecord) => boolean): WaitingRecord[] {
    const removed: WaitingRecord[] = [];
    const kept: WaitingRecord[] = [];
    for (const record of this.#records) (condition(record) ? removed : kept).push(record);
    if (removed.length > 0) this.#reset(kept);
    return removed;
  }

  /** Keeps only the last record of each key; returns the others. */
  conflate(): WaitingRecord[] {
    return this.remove((record) => this.latest(record.replaceKey) !== record);
  }

  #reset(records: WaitingRecord[]): void {
    this.#records = records;
    this.#bytes = 0;
    this.#places.clear();
    for (const [place, { replaceKey, bytes }] of records.entries()) {
      this.#bytes += bytes;
      if (replaceKey !== undefined) this.#places.set(replaceKey, place);
    }
  }
}
