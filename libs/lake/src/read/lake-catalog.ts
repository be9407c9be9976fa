import type { TopicPartition } from '@aipx/event-log';
import type { MarketEvent } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import type { ObjectStore } from '../object-store/object-store.js';
import { readEntry, type ManifestEntry } from '../protocol/manifest-entry.js';
import { eventHour, LakeNames } from '../protocol/names.js';
import { readPlan, type Plan } from '../protocol/plan.js';
import { damaged } from '../protocol/stored-json.js';

export type EventKind = MarketEvent['kind'];

/** What reading needs of an object store. */
export type StoredObjects = Pick<ObjectStore, 'get' | 'list'>;

/** A Parquet file as its key tells it, whoever wrote it. */
export interface FoundFile {
  /** Relative to the prefix. */
  readonly name: string;
  /** `2024-05-01T13`, UTC; `undefined` where the key does not say. */
  readonly hour: string | undefined;
  /** Whose batch it would be; `undefined` for a name that no batch of this lake gives. */
  readonly batch: (TopicPartition & { readonly begin: bigint }) | undefined;
}

/** Half open, nanoseconds of event time; an absent end is open. */
export interface EventTimes {
  readonly from?: bigint;
  readonly to?: bigint;
}

/** Objects asked for side by side. */
const AT_ONCE = 16;

/** What lies in a lake, read only: plans, manifest entries, and the files that are really there. */
export class LakeCatalog {
  readonly #objects: StoredObjects;
  /** By key; an entry never changes. */
  readonly #entries = new Map<string, ManifestEntry>();
  readonly prefix: string;

  /** @param prefix of all keys, without slashes at its ends */
  constructor(objects: StoredObjects, prefix: string) {
    this.#objects = objects;
    this.prefix = prefix;
  }

  /** The key of a name that is relative to the prefix. */
  key(name: string): string {
    return `${this.prefix}/${name}`;
  }

  /**
   * The finished batches of a partition, ascending.
   *
   * @throws {MarketDataError} `STORE_DAMAGED`, naming the object
   */
  async entries(partition: TopicPartition): Promise<readonly ManifestEntry[]> {
    const names = this.#names(partition);
    const begins = await this.#begins(names, names.entries);
    const unread = begins.map((begin) => names.entry(begin)).filter((key) => !this.#entries.has(key));
    for (let first = 0; first < unread.length; first += AT_ONCE) {
      const keys = unread.slice(first, first + AT_ONCE);
      const entries = await Promise.all(keys.map((key) => this.#read(key, readEntry)));
      for (const [index, entry] of entries.entries()) this.#entries.set(keys[index] ?? '', entry);
    }
    return begins.flatMap((begin) => this.#entries.get(names.entry(begin)) ?? []);
  }

  /** The batches of a partition that were begun, finished or not, ascending, by name alone. */
  async planned(partition: TopicPartition): Promise<readonly bigint[]> {
    const names = this.#names(partition);
    return await this.#begins(names, names.plans);
  }

  /** @throws {MarketDataError} `STORE_DAMAGED` when it is not there or is another batch's */
  async plan(partition: TopicPartition, begin: bigint): Promise<Plan> {
    const names = this.#names(partition);
    return await this.#read(names.plan(begin), readPlan);
  }

  /** `undefined` for a batch that is not finished. */
  async entry(partition: TopicPartition, begin: bigint): Promise<ManifestEntry | undefined> {
    const key = this.#names(partition).entry(begin);
    const bytes = await this.#objects.get(key);
    return bytes === undefined ? undefined : readEntry(key, bytes);
  }

  /** Every Parquet file of a kind whose hour may hold one of the times, in the order of the keys. */
  async *files(kind: EventKind, times: EventTimes = {}): AsyncGenerator<FoundFile> {
    for await (const key of this.#objects.list(this.key(commonFolder(kind, times)))) {
      if (!key.endsWith('.parquet')) continue;
      const name = key.slice(this.prefix.length + 1);
      const hour = hourOf(name);
      if (hour === undefined || touches(hour, times)) yield { name, hour, batch: this.#batchOf(kind, name, hour) };
    }
  }

  /** The name that a batch's file of an hour has. */
  fileName(partition: TopicPartition, begin: bigint, hour: string): string {
    return this.#names(partition).file(hour, begin);
  }

  #names(partition: TopicPartition): LakeNames {
    return new LakeNames(this.prefix, partition);
  }

  #batchOf(kind: EventKind, name: string, hour: string | undefined): FoundFile['batch'] {
    const match = /\/([^/]+)-(\d+)-(\d{20})\.parquet$/.exec(name);
    const [, topic, partition, begin] = match ?? [];
    if (topic !== EVENT_TOPICS[kind] || hour === undefined) return undefined;
    const batch = { topic, partition: Number(partition), begin: BigInt(begin ?? '') };
    return this.fileName(batch, batch.begin, hour) === name ? batch : undefined;
  }

  async #begins(names: LakeNames, prefix: string): Promise<readonly bigint[]> {
    const begins: bigint[] = [];
    for await (const key of this.#objects.list(prefix)) {
      const begin = names.beginOf(key);
      if (begin !== undefined) begins.push(begin);
    }
    return begins;
  }

  async #read<Stored>(key: string, read: (key: string, bytes: Uint8Array) => Stored): Promise<Stored> {
    const bytes = await this.#objects.get(key);
    if (bytes === undefined) throw damaged(key, 'is missing');
    return read(key, bytes);
  }
}

const HOUR_FOLDERS = /\/year=(\d{4})\/month=(\d{2})\/day=(\d{2})\/hour=(\d{2})\//;

function hourOf(name: string): string | undefined {
  const [, year, month, day, hour] = HOUR_FOLDERS.exec(name) ?? [];
  return hour === undefined ? undefined : `${year}-${month}-${day}T${hour}`;
}

function touches(hour: string, { from, to }: EventTimes): boolean {
  return (from === undefined || hour >= eventHour(from)) && (to === undefined || hour <= eventHour(to - 1n));
}

/** The innermost folder that has every file of the times: one listing instead of one for each hour. */
function commonFolder(kind: EventKind, { from, to }: EventTimes): string {
  if (from === undefined || to === undefined) return `${kind}/`;
  const first = eventHour(from).split(/[-T]/);
  const last = eventHour(to - 1n).split(/[-T]/);
  const levels = ['year', 'month', 'day', 'hour'];
  const differs = levels.findIndex((_, level) => first[level] !== last[level]);
  const common = levels.slice(0, differs < 0 ? levels.length : differs);
  return [kind, ...common.map((level, index) => `${level}=${first[index]}`), ''].join('/');
}
