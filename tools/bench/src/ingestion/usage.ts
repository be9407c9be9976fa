import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { platform } from 'node:os';
import { promisify } from 'node:util';
import { spreadOf } from '../measure.ts';

/** What a process has taken. Megabytes are millions of bytes, here and everywhere in this folder. */
export interface Reading {
  readonly residentMb: number;
  /** Processor time since its start, ms. */
  readonly cpuMs: number;
}

/** What a process took while it was watched. */
export interface Usage {
  readonly medianMb: number;
  readonly maxMb: number;
  /** Of one core, 0 to 100 and above. */
  readonly cpuPercent: number;
}

const EVERY_MS = 1_000;
/** Linux counts processor time in these, whatever its kernel does inside. */
const TICKS_A_SECOND = 100;
const MB_A_KIB = 1_024 / 1e6;

/** Watches processes from outside, once a second. */
export class UsageWatch<Name extends string> {
  readonly #pids: Readonly<Record<Name, number>>;
  readonly #samples: { readonly at: number; readonly readings: Readonly<Record<Name, Reading>> }[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sampling: Promise<void> = Promise.resolve();

  constructor(pids: Readonly<Record<Name, number>>) {
    this.#pids = pids;
  }

  async start(): Promise<void> {
    await this.#sample();
    this.#timer = setInterval(() => {
      this.#sampling = this.#sampling.then(() => this.#sample());
      this.#sampling.catch(() => undefined); // `stop` tells
    }, EVERY_MS).unref();
  }

  /** @throws when a process ended meanwhile */
  async stop(): Promise<Readonly<Record<Name, Usage>>> {
    clearInterval(this.#timer);
    await this.#sampling;
    await this.#sample();
    const names = Object.keys(this.#pids) as Name[];
    return Object.fromEntries(names.map((name) => [name, this.#usageOf(name)])) as Record<Name, Usage>;
  }

  #usageOf(name: Name): Usage {
    const { median, max } = spreadOf(this.#samples.map(({ readings }) => readings[name].residentMb));
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined) throw new Error('the watch was never started');
    const cpuMs = last.readings[name].cpuMs - first.readings[name].cpuMs;
    return { medianMb: median, maxMb: max, cpuPercent: (100 * cpuMs) / (last.at - first.at) };
  }

  async #sample(): Promise<void> {
    const at = performance.now();
    const pids = Object.entries<number>(this.#pids);
    const readings = await Promise.all(pids.map(async ([name, pid]) => [name, await readUsage(pid)] as const));
    this.#samples.push({ at, readings: Object.fromEntries(readings) as Record<Name, Reading> });
  }
}

export function readUsage(pid: number): Promise<Reading> {
  return platform() === 'linux' ? readProc(pid) : readPs(pid);
}

async function readProc(pid: number): Promise<Reading> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]);
  const kib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
  // Behind the name, which may hold spaces: the 14th and 15th field of all, in user and in system mode.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { residentMb: kib * MB_A_KIB, cpuMs: (ticks * 1_000) / TICKS_A_SECOND };
}

async function readPs(pid: number): Promise<Reading> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=,time=', '-p', String(pid)]);
  const [kib, time = ''] = stdout.trim().split(/\s+/);
  const seconds = time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);
  return { residentMb: Number(kib) * MB_A_KIB, cpuMs: seconds * 1_000 };
}
