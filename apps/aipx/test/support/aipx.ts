import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

/** The built command, as its users run it, with nothing in its environment but these settings. */
export async function aipx(args: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: tmpdir(), // no .env of a developer
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await closed) as [number | null];
  return { code, out, errors };
}

export function lastLine({ out }: Outcome): string | undefined {
  return out.trimEnd().split('\n').at(-1);
}
