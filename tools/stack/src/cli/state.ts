import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, type ProcessId } from '../process-id.js';
import { PARTS, type Part } from './parts.js';

/** Everything of a stack lies below one folder. */
export interface StackFolder {
  readonly path: string;
  /** The addresses of what runs, as environment lines. */
  readonly environment: string;
  data(part: Part): string;
  log(part: Part): string;
  state(part: Part): string;
}

/** A part that was started, as `up` leaves it and the other commands find it. */
export interface PartState {
  readonly part: Part;
  readonly mode: 'native' | 'docker';
  /** The lines that tell clients where it is, passwords included. */
  readonly env: Readonly<Record<string, string>>;
  /** What holds the servers; none in Docker. */
  readonly keeper?: ProcessId;
  readonly servers: readonly ServerState[];
  /** A container that has not come up yet, or never did: its address is told to nobody. */
  readonly isStarting?: true;
}

export interface ServerState {
  readonly name: string;
  readonly address: string;
  /** None in Docker. */
  readonly process?: ProcessId;
}

export function stackFolder(path: string): StackFolder {
  return {
    path,
    environment: join(path, 'stack.env'),
    data: (part) => join(path, part),
    log: (part) => join(path, 'logs', `${part}.log`),
    state: (part) => join(path, 'state', `${part}.json`),
  };
}

export async function readStates(folder: StackFolder): Promise<readonly PartState[]> {
  const texts = await Promise.all(PARTS.map((part) => readFile(folder.state(part), 'utf8').catch(() => undefined)));
  return texts.filter((text) => text !== undefined).map((text) => JSON.parse(text) as PartState);
}

export async function writeState(folder: StackFolder, state: PartState): Promise<void> {
  const place = folder.state(state.part);
  await mkdir(join(place, '..'), { recursive: true, mode: 0o700 });
  await writeFile(`${place}.new`, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(`${place}.new`, place);
}

export async function removeState(folder: StackFolder, part: Part): Promise<void> {
  await rm(folder.state(part), { force: true });
}

/** Whether everything of a native part runs. */
export async function allRun({ keeper, servers }: PartState): Promise<boolean> {
  const processes = [keeper, ...servers.map(({ process }) => process)];
  const running = await Promise.all(processes.map(async (id) => id !== undefined && (await isRunning(id))));
  return running.every(Boolean);
}

/** Writes `stack.env` anew: the lines of every part that has come up. */
export async function writeEnvironment(folder: StackFolder): Promise<void> {
  const lines = environmentLines(await readStates(folder));
  if (lines === '') {
    await rm(folder.environment, { force: true });
    return;
  }
  await writeFile(`${folder.environment}.new`, lines, { mode: 0o600 });
  await rename(`${folder.environment}.new`, folder.environment);
}

/** Why a line stands there, for those that are no address. */
const REASONS: Readonly<Record<string, string>> = {
  S3_SINGLE_WRITER: 'This S3 server ignores If-None-Match: never run more than one recorder on it.',
};

/**
 * `NAME=value` lines of the parts that have come up, in their order. No value needs quotes: addresses, names and
 * base64url.
 */
export function environmentLines(states: readonly PartState[]): string {
  const up = states.filter(({ isStarting }) => isStarting !== true);
  const inOrder = PARTS.flatMap((part) => up.filter((state) => state.part === part));
  return inOrder
    .flatMap(({ env }) => Object.entries(env))
    .map(([name, value]) => (REASONS[name] === undefined ? '' : `# ${REASONS[name]}\n`) + `${name}=${value}\n`)
    .join('');
}
