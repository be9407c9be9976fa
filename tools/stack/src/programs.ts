import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';

/** Where a program lies on the `PATH`. */
export function findProgram(name: string): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * Runs a program to its end and returns what it wrote to standard output.
 *
 * @throws {MarketDataError} `STORE_UNAVAILABLE` with the end of what it wrote, when it fails
 */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { cwd, signal } = options;
  const env = { ...process.env, ...options.env };
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  execFile(program, args, { cwd, env, signal, maxBuffer: 16 * 1024 * 1024 }, (cause, stdout, stderr) => {
    if (cause === null) {
      resolve(stdout);
      return;
    }
    const wrote = `${stdout}${stderr}`.trim().split('\n').slice(-20).join('\n');
    const message = `${program} ${args[0] ?? ''} failed: ${wrote === '' ? cause.message : wrote}`;
    reject(new MarketDataError('STORE_UNAVAILABLE', message, { cause }));
  });
  return promise.catch((error: unknown) => {
    signal.throwIfAborted();
    throw error;
  });
}
