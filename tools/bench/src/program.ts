import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onStopSignals } from '@aipx/service';

export interface BenchProgram<Options> {
  /** Reads the command line. @throws {Error} saying which argument is wrong */
  readonly read: (args: readonly string[]) => Options;
  readonly usage: string;
  /** What this machine lacks for it, in a sentence. @default nothing */
  readonly missing?: (options: Options) => string | undefined;
  readonly run: (options: Options, signal: AbortSignal) => Promise<void>;
}

/** A benchmark from its arguments to its exit code: 1 when nothing can be measured, 2 after wrong usage, 130 after Ctrl-C. */
export async function runProgram<Options>({ read, usage, missing, run }: BenchProgram<Options>): Promise<void> {
  let options: Options;
  try {
    options = read(process.argv.slice(2));
  } catch (cause) {
    tell(`${cause instanceof Error ? cause.message : String(cause)}\n${usage}`.trimEnd());
    process.exitCode = 2;
    return;
  }
  const lacks = missing?.(options);
  if (lacks !== undefined) {
    tell(`nothing was measured: ${lacks}`);
    process.exitCode = 1;
    return;
  }
  const { stop } = onStopSignals();
  try {
    await run(options, stop);
  } catch (cause) {
    if (!stop.aborted) throw cause;
    process.exitCode = 130;
  }
}

/** Lends a folder that is gone afterwards, Ctrl-C included. */
export async function inFolder<Result>(name: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), `aipx-bench-${name}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Writes the figures as JSON, and for people to standard output. */
export async function publish(report: object, out: string, text: string): Promise<void> {
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, `${JSON.stringify(report, undefined, 2)}\n`);
  console.log(text);
}

/** What goes on, to standard error. */
export function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
