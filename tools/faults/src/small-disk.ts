import { spawnSync } from 'node:child_process';
import { chown, mkdir, rmdir, stat } from 'node:fs/promises';
import type { Client } from 'pg';

const ROOM = '2g';
/** What a disk that fills up has left: too little for the next extension of a table. */
const LEFT_KB = 8;
const TRIES = 20;

/** A disk of its own for the trades, which can be full. Only root may mount one. */
export class SmallDisk {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Mounts it and moves the trades there.
   *
   * @param serverPid whose user gets the disk
   * @returns `undefined` where nothing may be mounted
   */
  static async mount(folder: string, client: Client, serverPid: number): Promise<SmallDisk | undefined> {
    await mkdir(folder, { recursive: true });
    if (!mount('-t', 'tmpfs', '-o', `size=${ROOM},mode=0700`, 'tmpfs', folder)) return undefined;
    const { uid, gid } = await stat(`/proc/${serverPid}`);
    await chown(folder, uid, gid);
    await client.query(`CREATE TABLESPACE small LOCATION '${folder}'`);
    await client.query('ALTER TABLE tick_data SET TABLESPACE small');
    return new SmallDisk(folder);
  }

  /** From now on whoever needs more room gets none. */
  fill(): void {
    // Between the look and the cut the table may have grown.
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const { stdout } = spawnSync('df', ['--output=used', '-k', this.#folder], { encoding: 'utf8' });
      const used = Number(stdout.trim().split(/\s+/).at(-1));
      if (this.#resize(`${used + tries * LEFT_KB}k`)) return;
    }
    throw new Error(`the disk at ${this.#folder} could not be made full`);
  }

  free(): void {
    if (!this.#resize(ROOM)) throw new Error(`the disk at ${this.#folder} could not be freed again`);
  }

  /** After the database has ended. */
  async unmount(): Promise<void> {
    spawnSync('umount', [this.#folder]);
    await rmdir(this.#folder).catch(() => undefined);
  }

  #resize(size: string): boolean {
    return mount('-o', `remount,size=${size}`, this.#folder);
  }
}

function mount(...args: readonly string[]): boolean {
  return process.getuid?.() === 0 && spawnSync('mount', args).status === 0;
}
