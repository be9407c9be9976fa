import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const RESOLVE_SOURCES = join(import.meta.dirname, '..', '..', '..', 'testing', 'resolve-sources.mjs');
const COMMAND = [
  '--conditions=@aipx/source',
  '--import',
  RESOLVE_SOURCES,
  '--disable-warning=ExperimentalWarning',
  MAIN,
];

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
  /** `ok socket.open`, one a check. */
  readonly verdicts: readonly string[];
  /** The whole line of a check. */
  line(check: string): string;
}

/**
 * The tool as a process of its own, with these settings and no others, in a folder of its own.
 *
 * @param interruptAt Ctrl-C is pressed when it has printed this
 */
export async function contractRun(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  interruptAt?: string,
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-kis-contract-'));
  try {
    const child = spawn(process.execPath, [...COMMAND, ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'], TMPDIR: folder, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      if (interruptAt !== undefined && printed.includes(interruptAt)) child.kill('SIGINT');
    });
    const [output, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    const lines = output.split('\n');
    return {
      code,
      output,
      errors,
      verdicts: lines.flatMap((line) => {
        const [, verdict, check] = /^(ok|DIFFERS|NOT SEEN) +([a-z]+\.\w+) /.exec(line) ?? [];
        return check === undefined ? [] : [`${verdict} ${check}`];
      }),
      line: (check) => lines.find((line) => line.includes(` ${check} `)) ?? '',
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
