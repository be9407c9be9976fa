import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Whether a process of this id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Tells a process from a later one with the same id: its start time as the kernel writes it. `undefined` when there is
 * no such process (a zombie counts as none) or the system does not say.
 */
export async function startMark(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return processStatus(pid, 'lstart=');
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the program's name in brackets and may hold anything; fields are counted from behind it.
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

/** A process's command line, its words parted by spaces as `ps` has them; empty when it cannot be read. */
export async function commandLine(pid: number): Promise<string> {
  if (process.platform !== 'linux') return (await processStatus(pid, 'command=')) ?? '';
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.replaceAll('\0', ' ').trimEnd();
}

/** Resident memory in bytes; `undefined` when there is no such process. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  const kilobytes =
    process.platform === 'linux'
      ? /^VmRSS:\s*(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))?.[1]
      : await processStatus(pid, 'rss=');
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** One column of `ps`, which every Unix has. */
async function processStatus(pid: number, column: string): Promise<string | undefined> {
  const run = promisify(execFile);
  const answer = await run('/bin/ps', ['-ww', '-o', column, '-p', String(pid)], { env: { LC_ALL: 'C' } }).catch(
    () => undefined,
  );
  return answer?.stdout.trim() || undefined;
}
