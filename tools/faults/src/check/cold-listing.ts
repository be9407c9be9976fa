import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { placeOf } from '../topics.ts';

/** A manifest entry, as far as the check needs it. */
export interface ColdEntry {
  readonly topic: string;
  readonly partition: number;
  readonly begin: number;
  readonly end: number;
  readonly missing: readonly (readonly [number, number])[];
  readonly files: readonly { readonly name: string; readonly rows: number }[];
}

/** What lies in a lake, read from the S3 server's disk. */
export interface ColdListing {
  /** Of all partitions, in the order of their chains. */
  readonly entries: readonly ColdEntry[];
  /** Every Parquet file there is, named by an entry or not, relative to the lake. */
  readonly files: readonly string[];
  /** What is wrong with the manifest itself. */
  readonly faults: readonly string[];
}

interface StoredEntry {
  readonly topic: string;
  readonly partition: number;
  readonly begin: string;
  readonly end: string;
  readonly missing: readonly (readonly [string, string])[];
  readonly files: readonly { readonly name: string; readonly rows: number }[];
}

/** Reads the lake's manifest anew, and lists its files. */
export class ColdLake {
  readonly #folder: string;
  /** Entries are never changed, so each is read once. */
  readonly #known = new Map<string, ColdEntry>();

  /** @param folder of the bucket and prefix */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** How far each partition's entries reach without a hole, by `topic/partition`. */
  async ends(): Promise<ReadonlyMap<string, number>> {
    const ends = new Map<string, number>();
    for (const { topic, partition, begin, end } of await this.#entries()) {
      const place = placeOf(topic, partition);
      if (begin === (ends.get(place) ?? 0)) ends.set(place, end);
    }
    return ends;
  }

  async list(): Promise<ColdListing> {
    this.#known.clear();
    const entries = await this.#entries();
    const files = (await filesBelow(this.#folder)).filter((name) => name.endsWith('.parquet'));
    const lying = new Set(files);
    const named = new Set(entries.flatMap((entry) => entry.files.map(({ name }) => name)));
    const faults = [
      ...holesIn(entries),
      ...files.filter((name) => !named.has(name)).map((name) => `${name} is named by no manifest entry`),
      ...[...named].filter((name) => !lying.has(name)).map((name) => `${name} is named by the manifest and absent`),
    ];
    return { entries, files, faults };
  }

  async #entries(): Promise<readonly ColdEntry[]> {
    const folder = join(this.#folder, '_manifest');
    // 20 digits: the order of the names is that of the offsets.
    const names = (await readdir(folder).catch(none)).filter((name) => name.endsWith('.json')).sort();
    return await Promise.all(names.map(async (name) => this.#known.get(name) ?? (await this.#read(folder, name))));
  }

  async #read(folder: string, name: string): Promise<ColdEntry> {
    const stored = JSON.parse(await readFile(join(folder, name), 'utf8')) as StoredEntry;
    const entry = {
      ...stored,
      begin: Number(stored.begin),
      end: Number(stored.end),
      missing: stored.missing.map(([begin, end]) => [Number(begin), Number(end)] as const),
    };
    this.#known.set(name, entry);
    return entry;
  }
}

/** Stretches that the entries call missing, as lines with tabs. */
export async function writeMissingLines(entries: readonly ColdEntry[], path: string): Promise<void> {
  const lines = entries.flatMap(({ topic, partition, missing }) =>
    missing.map(([begin, end]) => `${topic}\t${partition}\t${begin}\t${end}\n`),
  );
  await writeFile(path, lines.join(''));
}

function holesIn(entries: readonly ColdEntry[]): string[] {
  const ends = new Map<string, number>();
  return entries.flatMap(({ topic, partition, begin, end }) => {
    const place = placeOf(topic, partition);
    const before = ends.get(place) ?? 0;
    ends.set(place, end);
    return begin === before ? [] : [`${place}: a batch begins at ${begin}; the one before ended at ${before}`];
  });
}

async function filesBelow(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(none);
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** A lake of which nothing is there yet is an empty one. */
function none(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
