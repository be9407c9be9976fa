import { FolderClaim } from '../folder-claim.js';
import { dockerAnswers, runningInDocker, startInDocker, stopInDocker } from './docker.js';
import { startKept, stopKept } from './keep.js';
import { fetchPart, unavailable, type Part } from './parts.js';
import {
  allRun,
  environmentLines,
  readStates,
  removeState,
  stackFolder,
  writeEnvironment,
  type PartState,
  type StackFolder,
} from './state.js';
import type { UpRequest } from './usage.js';

/** What one part came to; in order of weight. */
type Outcome = 'runs' | 'cannot be had' | 'failed';

const EXIT_CODES: Readonly<Record<Outcome, number>> = { runs: 0, 'cannot be had': 3, failed: 1 };

/**
 * Starts what does not run yet, and prints the addresses of what was asked for.
 *
 * @returns the exit code: 0 all run, 3 one cannot be had here, 1 one failed to start
 */
export async function up(request: UpRequest, signal: AbortSignal, note: (line: string) => void): Promise<number> {
  const folder = stackFolder(request.dir);
  const claim = await FolderClaim.take(folder.path, signal);
  try {
    const outcomes = await startMissing(folder, request, signal, note);
    const states = (await readStates(folder)).filter(({ part }) => request.parts.includes(part));
    process.stdout.write(environmentLines(states));
    if (outcomes.includes('failed')) return EXIT_CODES.failed;
    return outcomes.includes('cannot be had') ? EXIT_CODES['cannot be had'] : EXIT_CODES.runs;
  } finally {
    await writeEnvironment(folder);
    await claim.release();
  }
}

async function startMissing(
  folder: StackFolder,
  request: UpRequest,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<readonly Outcome[]> {
  const running = await runningParts(folder, signal);
  const missing = request.parts.filter((part) => !running.has(part));
  if (missing.length === 0) return [];
  const hasDocker = !request.native && (await dockerAnswers());
  // Nodes that a fault run kills one by one are processes.
  const contained = missing.filter((part) => hasDocker && !(part === 'kafka' && request.nodes === 3));
  const native = missing.filter((part) => !contained.includes(part));
  return await Promise.all([
    ...(contained.length === 0 ? [] : [startContained(folder, contained, signal, note)]),
    ...native.map((part) => startNative(folder, part, request.nodes, signal, note)),
  ]);
}

/** The parts that run whole. What a part that died has left is ended and forgotten. */
async function runningParts(folder: StackFolder, signal: AbortSignal): Promise<ReadonlySet<Part>> {
  const running = new Set<Part>();
  const states = await readStates(folder);
  const contained = states.filter(({ mode }) => mode === 'docker');
  const inDocker = contained.length === 0 ? new Set() : await runningInDocker(folder, signal);
  const isUp = ({ part, isStarting }: PartState) => isStarting !== true && inDocker.has(part);
  for (const { part } of contained.filter(isUp)) running.add(part);
  const dead = contained.filter((state) => !isUp(state)).map(({ part }) => part);
  if (dead.length > 0) await forgetContainers(folder, dead, signal);
  for (const state of states.filter(({ mode }) => mode === 'native')) {
    if (await allRun(state)) running.add(state.part);
    else await stopKept(folder, state, signal);
  }
  return running;
}

async function forgetContainers(folder: StackFolder, parts: readonly Part[], signal: AbortSignal): Promise<void> {
  // Of an engine that is gone nothing runs, and the parts must start without it.
  if (await dockerAnswers()) await stopInDocker(folder, parts, false, signal);
  await Promise.all(parts.map((part) => removeState(folder, part)));
}

async function startContained(
  folder: StackFolder,
  parts: readonly Part[],
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<Outcome> {
  note(`starting ${parts.join(', ')} in Docker (--native runs them without)`);
  return await attempt(parts.join(', '), signal, note, () => startInDocker(folder, parts, signal));
}

async function startNative(
  folder: StackFolder,
  part: Part,
  nodes: 1 | 3,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<Outcome> {
  const reason = unavailable(part);
  if (reason !== undefined) {
    note(`${part} IS MISSING: ${reason}`);
    return 'cannot be had';
  }
  return await attempt(part, signal, note, async () => {
    await fetchPart(part, signal, note);
    note(`starting ${part}`);
    await startKept({ part, path: folder.path, nodes }, signal);
  });
}

async function attempt(
  what: string,
  signal: AbortSignal,
  note: (line: string) => void,
  start: () => Promise<void>,
): Promise<Outcome> {
  try {
    await start();
    note(`${what} answers`);
    return 'runs';
  } catch (error) {
    signal.throwIfAborted();
    note(`${what} FAILED: ${error instanceof Error ? error.message : String(error)}`);
    return 'failed';
  }
}
