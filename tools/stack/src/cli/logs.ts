import { open, readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { dockerLogs } from './docker.js';
import type { Part } from './parts.js';
import { readStates, stackFolder, type StackFolder } from './state.js';

const LAST_LINES = 200;
const LOOK_EVERY_MS = 250;

/** Prints the last lines of the parts' logs, and with `follow` goes on until the signal is aborted. */
export async function logs(dir: string, parts: readonly Part[], follow: boolean, signal: AbortSignal): Promise<void> {
  const folder = stackFolder(dir);
  const states = await readStates(folder);
  const contained = parts.filter((part) => states.some((state) => state.part === part && state.mode === 'docker'));
  const native = parts.filter((part) => !contained.includes(part));
  await Promise.all([
    ...(contained.length === 0 ? [] : [dockerLogs(folder, contained, follow, signal)]),
    ...native.map((part) => printLog(folder, part, follow, signal)),
  ]);
}

async function printLog(folder: StackFolder, part: Part, follow: boolean, signal: AbortSignal): Promise<void> {
  const path = folder.log(part);
  const text = await readFile(path, 'utf8').catch(() => '');
  print(
    part,
    text
      .split('\n')
      .slice(-LAST_LINES - 1)
      .join('\n'),
  );
  let position = Buffer.byteLength(text);
  while (follow && !signal.aborted) {
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    const { size } = await stat(path).catch(() => ({ size: position }));
    // A full log was moved away, and a new one begins.
    if (size < position) position = 0;
    if (size === position) continue;
    print(part, await readRange(path, position, size));
    position = size;
  }
}

function print(part: Part, text: string): void {
  const lines = text.split('\n').filter((line) => line !== '');
  // Kafka's lines name their node already.
  const named = lines.map((line) => (line.startsWith(part) ? line : `${part}: ${line}`));
  process.stdout.write(named.map((line) => `${line}\n`).join(''));
}

async function readRange(path: string, from: number, to: number): Promise<string> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}
