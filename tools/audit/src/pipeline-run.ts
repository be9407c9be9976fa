import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';

/** What the run says of itself, as far as the auditor can check it. */
export interface RunSummary {
  readonly ok: boolean;
  readonly dropped: { readonly rejected: number };
}

export interface PipelineRun {
  readonly databaseUrl: string;
  readonly lakeDir: string;
  readonly summary: RunSummary;
  /** Ends the run, which holds its database up until then. */
  stop(): Promise<void>;
}

const START = join(import.meta.dirname, '..', '..', 'run', 'start.mjs');

/** Runs `npm start` on a file of frames and keeps its database up. */
export async function runPipeline(frames: string, dataDir: string): Promise<PipelineRun> {
  const args = [START, '--frames', frames, '--speed', 'max', '--json', '--hold', '--data-dir', dataDir];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let ready: { database_url: string; lake_dir: string } | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const report = JSON.parse(line) as { event: string } & Record<string, unknown>;
    if (report.event === 'ready') ready = report as unknown as typeof ready;
    if (report.event !== 'summary' || ready === undefined) continue;
    return {
      databaseUrl: ready.database_url,
      lakeDir: ready.lake_dir,
      summary: report as unknown as RunSummary,
      stop: async () => {
        child.kill('SIGINT');
        await exited;
      },
    };
  }
  throw new Error(`npm start ended without a summary (exit code ${String(child.exitCode)}); it says why above`);
}
