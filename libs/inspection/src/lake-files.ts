import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredObjects } from '@aipx/lake';

/** Where a lake is and how its files come to DuckDB, which reads nothing but local files here. */
export interface LakeSource {
  readonly objects: StoredObjects;
  /** Of all keys, without slashes at its ends. */
  readonly prefix: string;
  /** The folder that the keys are paths of; absent for a lake that is not on this machine. */
  readonly root?: string;
}

export interface LocalFile {
  /** Relative to the prefix. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Brings files of the lake to where DuckDB can read them: in place, or as copies that are removed again. */
export class LakeFiles {
  readonly #source: LakeSource;
  readonly #folder: string;
  #fetched = 0;

  /** @param folder for copies */
  constructor(source: LakeSource, folder: string) {
    this.#source = source;
    this.#folder = folder;
  }

  /** Where DuckDB can read a file: in place, else as a copy. `undefined` for a file that is not there. */
  async locate(name: string): Promise<Pick<LocalFile, 'name' | 'path'> | undefined> {
    const { prefix, root } = this.#source;
    return root === undefined ? await this.fetch(name) : { name, path: join(root, `${prefix}/${name}`) };
  }

  /** Reads a whole file. `undefined` for one that is not there. */
  async fetch(name: string): Promise<LocalFile | undefined> {
    const { objects, prefix, root } = this.#source;
    const key = `${prefix}/${name}`;
    const content = await objects.get(key);
    if (content === undefined) return undefined;
    const path = root === undefined ? join(this.#folder, `${(this.#fetched += 1)}.parquet`) : join(root, key);
    if (root === undefined) await writeFile(path, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { name, path, bytes: content.byteLength, sha256 };
  }

  async release(files: readonly LocalFile[]): Promise<void> {
    if (this.#source.root !== undefined) return;
    for (const { path } of files) await rm(path, { force: true });
  }
}
