import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_BYTES = 10 * 1024 * 1024;

/** A log that keeps its last 10 to 20 MiB: when it is full it becomes `<path>.1`, in place of the one before. */
export class LogFile {
  readonly #path: string;
  #bytes: number;

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#path = path;
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#bytes > 0 && this.#bytes + bytes > MAX_BYTES) {
      renameSync(this.#path, `${this.#path}.1`);
      this.#bytes = 0;
    }
    appendFileSync(this.#path, `${line}\n`, { mode: 0o600 });
    this.#bytes += bytes;
  }
}
