import { once } from 'node:events';
import { MarketDataError } from '@aipx/market-model';
import type { RollingFile } from 'pino-roll';

export interface LogFileLimits {
  /** A file of so many bytes is followed by the next. */
  readonly fileBytes: number;
  /** Beside the current one. */
  readonly filesKept: number;
  /** What may wait in memory while the disk takes nothing. */
  readonly memoryBytes: number;
}

const MIB = 1024 * 1024;
const LIMITS: LogFileLimits = { fileBytes: 20 * MIB, filesKept: 10, memoryBytes: MIB };
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * A log file that starts anew every 20 MiB and keeps ten older ones: `app.log` becomes `app.1.log`, `app.2.log`, … It
 * does so when no line waits to be written.
 *
 * A disk that takes nothing stops neither the process nor the other outputs: up to 1 MiB waits in memory and is written
 * when there is room again, the rest is dropped and counted.
 */
export class LogFile {
  readonly #file: RollingFile;
  readonly #onTrouble: (message: string) => void;
  #failing = false;
  #dropped = 0;
  #closed = false;

  private constructor(file: RollingFile, onTrouble: (message: string) => void) {
    this.#file = file;
    this.#onTrouble = onTrouble;
    file.on('error', (error: Error) => {
      this.#failed(error);
    });
    file.on('write', () => {
      this.#worked();
    });
    file.on('drop', () => (this.#dropped += 1));
  }

  /**
   * @param onTrouble told in a sentence when the disk begins to refuse, and when it takes lines again
   * @throws {MarketDataError} `CONFIG_INVALID` when the file cannot be opened
   */
  static async open(
    path: string,
    onTrouble: (message: string) => void,
    { fileBytes, filesKept, memoryBytes } = LIMITS,
  ): Promise<LogFile> {
    try {
      // On demand: it brings a whole library of dates.
      const { default: roll } = await import('pino-roll');
      const file = await roll({
        file: path,
        size: `${fileBytes}b`,
        limit: { count: filesKept, removeOtherLogFiles: true },
        mkdir: true,
        maxLength: memoryBytes,
      });
      await once(file, 'ready');
      return new LogFile(file, onTrouble);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new MarketDataError('CONFIG_INVALID', `LOG_FILE: ${JSON.stringify(path)} cannot be opened: ${reason}`, {
        cause,
      });
    }
  }

  write(line: string): void {
    if (!this.#closed) this.#file.write(line);
  }

  /** Writes what waits, for a second at most. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const closed = once(this.#file, 'close').catch(() => undefined);
    const late = setTimeout(() => {
      this.#file.destroy();
    }, CLOSE_TIMEOUT_MS);
    this.#file.once('error', () => {
      this.#file.destroy();
    });
    this.#file.end();
    await closed;
    clearTimeout(late);
  }

  #failed(error: Error): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#onTrouble(`the log file takes nothing (${error.message}); lines go to standard error only until it does`);
  }

  #worked(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.#onTrouble(`the log file takes lines again; ${this.#dropped} were dropped meanwhile`);
    this.#dropped = 0;
  }
}
