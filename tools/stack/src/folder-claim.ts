import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { endForeign, identify, isRunning, type ProcessId } from './process-id.js';

interface Claim {
  readonly holder: ProcessId;
  readonly servers: readonly ProcessId[];
}

/**
 * The right of this process to run servers in a folder, as a file in it that names both. While the holder lives nobody
 * else takes the folder; once it is gone, the next one ends the servers that it left.
 */
export class FolderClaim {
  readonly #place: string;
  readonly #holder: ProcessId;
  #isReleased = false;

  private constructor(place: string, holder: ProcessId) {
    this.#place = place;
    this.#holder = holder;
  }

  /**
   * Makes the folder if it is missing and claims it.
   *
   * @throws {MarketDataError} `CONFIG_DATA_DIR_IN_USE` while the process that claimed it lives
   */
  static async take(folder: string, signal: AbortSignal): Promise<FolderClaim> {
    await mkdir(folder, { recursive: true });
    const holder = (await identify(process.pid)) ?? { pid: process.pid, started: '' };
    const claim = new FolderClaim(join(folder, 'claim.json'), holder);
    for (;;) {
      signal.throwIfAborted();
      const found = await claim.#tryTake();
      if (found === undefined) return claim;
      const { holder: other, servers } = readClaim(found);
      if (await isRunning(other)) {
        throw new MarketDataError(
          'CONFIG_DATA_DIR_IN_USE',
          `${folder} is in use by process ${other.pid}; stop that one, or give another folder`,
        );
      }
      await Promise.all(servers.map((server) => endForeign(server, signal)));
      await claim.#takeAway(found);
    }
  }

  /**
   * Writes down the servers that run in the folder, so that they are found if this process dies without ending them.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE` for a server that was started after the folder was given free
   */
  async record(servers: readonly ProcessId[]): Promise<void> {
    if (this.#isReleased) {
      if (servers.length === 0) return;
      throw new MarketDataError('STORE_UNAVAILABLE', `${dirname(this.#place)} was given free; begin with a new start`);
    }
    const draft = await this.#draft({ holder: this.#holder, servers });
    await rename(draft, this.#place);
  }

  /** Gives the folder free. */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    await rm(this.#place, { force: true });
  }

  /** A claim appears complete or not at all: it is linked into its place. Returns the one that stands there already. */
  async #tryTake(): Promise<string | undefined> {
    const draft = await this.#draft({ holder: this.#holder, servers: [] });
    try {
      await link(draft, this.#place);
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      return await readFile(this.#place, 'utf8').catch(() => '');
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Of several that found the same void claim one moves it away; whoever moved a new one instead puts it back. */
  async #takeAway(voidClaim: string): Promise<void> {
    const taken = `${this.#place}.${randomBytes(6).toString('hex')}`;
    try {
      await rename(this.#place, taken);
    } catch {
      return; // another one was faster
    }
    if ((await readFile(taken, 'utf8')) !== voidClaim) await link(taken, this.#place).catch(() => undefined);
    await rm(taken, { force: true });
  }

  async #draft(claim: Claim): Promise<string> {
    const draft = `${this.#place}.${randomBytes(6).toString('hex')}`;
    await writeFile(draft, `${JSON.stringify(claim)}\n`, { flag: 'wx', mode: 0o600 });
    return draft;
  }
}

/** A claim that cannot be read, or was taken away meanwhile, is nobody's. */
function readClaim(text: string): Claim {
  try {
    return JSON.parse(text) as Claim;
  } catch {
    return { holder: { pid: 0, started: '' }, servers: [] };
  }
}
