import { residentBytes } from '@aipx/embedded-postgres/process-table';
import { isRunning } from '../process-id.js';
import { runningInDocker } from './docker.js';
import { PARTS } from './parts.js';
import { readStates, stackFolder, type PartState, type ServerState } from './state.js';

/** One line of `status`. */
type Line = readonly [name: string, state: string, address: string, process: string, memory: string];

/**
 * Prints what runs, one line a server.
 *
 * @returns the exit code: 0, or 1 when something that was started is dead or has not come up
 */
export async function status(dir: string, signal: AbortSignal): Promise<number> {
  const folder = stackFolder(dir);
  const states = await readStates(folder);
  const inDocker = states.some(({ mode }) => mode === 'docker')
    ? await runningInDocker(folder, signal)
    : new Set<string>();
  const lines: Line[] = [];
  for (const part of PARTS) {
    const state = states.find((candidate) => candidate.part === part);
    if (state === undefined) lines.push([part, 'stopped', '', '', '']);
    else if (state.mode === 'docker') lines.push(...containerLines(state, inDocker));
    else lines.push(...(await Promise.all(state.servers.map(processLine))));
  }
  process.stdout.write(table(lines));
  return lines.some(([, state]) => state === 'dead' || state === 'starting') ? 1 : 0;
}

function containerLines({ part, servers, isStarting }: PartState, inDocker: ReadonlySet<string>): readonly Line[] {
  const state = isStarting === true ? 'starting' : 'running';
  return servers.map(({ name, address }) => [name, inDocker.has(part) ? state : 'dead', address, 'container', '']);
}

async function processLine({ name, address, process: id }: ServerState): Promise<Line> {
  if (id === undefined || !(await isRunning(id))) return [name, 'dead', address, '', ''];
  const bytes = (await residentBytes(id.pid)) ?? 0;
  return [name, 'running', address, `pid ${id.pid}`, `${Math.round(bytes / 1024 / 1024)} MB`];
}

function table(lines: readonly Line[]): string {
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
