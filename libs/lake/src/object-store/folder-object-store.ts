import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import type { ObjectStore } from './object-store.js';
import { isMissing, outage } from './file-errors.js';

/** Where objects are written before they get their name. On the same file system, else `link` could not work. */
const INCOMING = '.incoming';
/** An object is written and linked in well under a second; what is older was left by a crash. */
const LEFTOVER_AFTER_MS = 60_000;
/** Names remembered as synced; forgetting them costs a sync each. */
const MOST_DURABLE = 10_000;

/**
 * An object store in a local folder. An object is written to a temporary file, synced, and linked to its name: `link`
 * fails if the name exists, so create-only holds between processes too, and a crash leaves no half object.
 */
export class FolderObjectStore implements ObjectStore {
  readonly root: string;
  readonly #incoming: string;
  /** Folders of which this process has synced the name. */
  readonly #durable = new Set<string>();

  private constructor(root: string) {
    this.root = root;
    this.#incoming = join(root, INCOMING);
  }

  /**
   * Makes the folder if it is missing, removes temporary files that a crash left over a minute ago, and proves that creating on condition
   * works there.
   *
   * @throws {MarketDataError} `STORE_REFUSED` when the folder cannot be written, `STORE_NO_CONDITIONAL_WRITES` when its
   * file system knows no hard links
   */
  static async open(folder: string): Promise<FolderObjectStore> {
    const store = new FolderObjectStore(resolve(folder));
    await store.#prepare();
    await store.#probe();
    return store;
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    const target = this.#pathOf(key);
    const temporary = join(this.#incoming, randomUUID());
    try {
      await writeDurably(temporary, body);
      await this.#makeDirectory(dirname(target));
      const outcome = await linkIfAbsent(temporary, target);
      // Also when it exists: whoever created it may have crashed before its name was durable.
      await syncDirectory(dirname(target));
      return outcome;
    } catch (cause) {
      throw outage(cause, `cannot create ${target}`);
    } finally {
      await rm(temporary, { force: true }).catch(() => undefined); // the next start removes it
    }
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const path = this.#pathOf(key);
    try {
      const content = await readFile(path);
      return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
    } catch (cause) {
      return this.#absent(cause, path);
    }
  }

  list(prefix: string): AsyncGenerator<string> {
    return this.#keysIn(prefix.slice(0, prefix.lastIndexOf('/') + 1), prefix);
  }

  /** Keys below `folder` (empty or with a trailing slash) that begin with `prefix`, in the order of the whole keys. */
  async *#keysIn(folder: string, prefix: string): AsyncGenerator<string> {
    const path = join(this.root, folder);
    const entries = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => this.#absent(cause, path));
    const names = (entries ?? [])
      .map((entry) => (entry.isDirectory() ? `${folder}${entry.name}/` : `${folder}${entry.name}`))
      .filter((key) => key !== `${INCOMING}/` && key.startsWith(prefix));
    for (const key of names.sort(byBytes)) {
      if (key.endsWith('/')) yield* this.#keysIn(key, prefix);
      else if (key.startsWith(prefix)) yield key;
    }
  }

  /**
   * Nothing there. A folder that has vanished as a whole, such as an unmounted disk, must not look like an empty one.
   */
  async #absent(cause: unknown, path: string): Promise<undefined> {
    if (!isMissing(cause)) throw outage(cause, `cannot read ${path}`);
    await stat(this.#incoming).catch((gone: unknown) => {
      throw outage(gone, `the lake's folder ${this.root} is gone or not readable`);
    });
    return undefined;
  }

  /** Makes the folder, and syncs whatever holds its name: a crashed process may have made it and not come to that. */
  async #makeDirectory(path: string): Promise<void> {
    await mkdir(path, { recursive: true });
    if (this.#durable.size > MOST_DURABLE) this.#durable.clear();
    for (let named = path; named !== this.root && !this.#durable.has(named); named = dirname(named)) {
      await syncDirectory(dirname(named));
      this.#durable.add(named);
    }
  }

  #pathOf(key: string): string {
    if (!key.split('/').every((part) => part !== '' && part !== INCOMING && !/^\.\.?$|[\\\0]/.test(part))) {
      throw new MarketDataError('STORE_REFUSED', `object key ${JSON.stringify(key)} is not a relative path`);
    }
    return join(this.root, key);
  }

  async #prepare(): Promise<void> {
    try {
      await mkdir(this.#incoming, { recursive: true });
      await this.#removeLeftovers();
    } catch (cause) {
      throw new MarketDataError(
        'STORE_REFUSED',
        `cannot write to the lake's folder ${this.root}: ${(cause as Error).message}; choose a writable LAKE_DIR`,
        { cause },
      );
    }
  }

  /** Temporary files that nobody has touched for a while. A process that loses one of its own writes it again. */
  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.#incoming)) {
      const path = join(this.#incoming, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity })); // its owner was done with it
      if (mtimeMs < Date.now() - LEFTOVER_AFTER_MS) await rm(path, { force: true });
    }
  }

  async #probe(): Promise<void> {
    const [source, target] = [join(this.#incoming, randomUUID()), join(this.#incoming, randomUUID())];
    try {
      await writeDurably(source, new Uint8Array(1));
    } catch (cause) {
      throw new MarketDataError(
        'STORE_REFUSED',
        `cannot write to the lake's folder ${this.root}; choose a writable LAKE_DIR`,
        { cause },
      );
    }
    try {
      const outcomes = [await linkIfAbsent(source, target), await linkIfAbsent(source, target)];
      if (outcomes.join() !== 'created,exists') throw new Error(`linking one name twice gave ${outcomes.join()}`);
      await unlink(target);
      await unlink(source);
    } catch (cause) {
      throw new MarketDataError(
        'STORE_NO_CONDITIONAL_WRITES',
        `the file system of ${this.root} cannot create a file only if it is absent (hard links); choose another LAKE_DIR`,
        { cause },
      );
    }
  }
}

async function writeDurably(path: string, body: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(body);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function linkIfAbsent(source: string, target: string): Promise<'created' | 'exists'> {
  try {
    await link(source, target);
    return 'created';
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return 'exists';
    throw cause;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
