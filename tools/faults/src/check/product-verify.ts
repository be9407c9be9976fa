import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const AIPX = resolve(import.meta.dirname, '../../../../apps/aipx/dist/main.js');
const SHOWN_LINES = 20;

export interface ProductVerdict {
  readonly ok: boolean;
  /** The last line of what it says; where it finds something, the first ones and where the others are. */
  readonly lines: readonly string[];
}

/**
 * What the product's own `aipx verify` says of the same stores.
 *
 * @param settings of the recorder, past the wires
 * @returns `undefined` where it is not built
 */
export async function productVerify(
  settings: Readonly<Record<string, string>>,
  folder: string,
  signal: AbortSignal,
): Promise<ProductVerdict | undefined> {
  if (!existsSync(AIPX)) return undefined;
  const verify = spawn(process.execPath, [AIPX, 'verify'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const [said, complaints, [code]] = await Promise.all([
    text(verify.stdout),
    text(verify.stderr),
    once(verify, 'close') as Promise<[number | null]>,
  ]);
  const lines = (said === '' ? complaints : said).trimEnd().split('\n');
  if (code === 0) return { ok: true, lines: lines.slice(-1) };
  const file = join(folder, 'verify.txt');
  await writeFile(file, `${said}\n${complaints}`);
  return { ok: false, lines: [...lines.slice(0, SHOWN_LINES), `exit code ${code}; all of it is in ${file}`] };
}
