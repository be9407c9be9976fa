import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import { vi } from 'vitest';

const realSleep = timers.setTimeout;
const sleepers = new Set<() => void>();

/** Timers move only when told to, those of the simulated venue too; sockets stay real. */
export function holdTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  // Vitest leaves this one real, and the simulated market would go by a clock of its own.
  timers.setTimeout = sleep as typeof realSleep;
  syncBuiltinESMExports();
}

/** Whoever still sleeps wakes. */
export function releaseTimers(): void {
  vi.useRealTimers();
  timers.setTimeout = realSleep;
  for (const wake of sleepers) wake();
  syncBuiltinESMExports();
}

/** What goes over the sockets meanwhile arrives. */
export async function pass(seconds: number, stepMs = 100): Promise<void> {
  for (let left = seconds * 1_000; left > 0; left -= stepMs) {
    vi.advanceTimersByTime(stepMs);
    for (let turn = 0; turn < 20; turn += 1) await timers.setImmediate();
  }
}

/** Lets time pass until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pass(0.1);
}

function sleep<T>(ms: number, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = () => {
      clearTimeout(timer);
      sleepers.delete(wake);
      signal?.removeEventListener('abort', abort);
    };
    const wake = () => {
      end();
      resolve(value);
    };
    const abort = () => {
      end();
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(wake, ms);
    sleepers.add(wake);
    signal?.addEventListener('abort', abort);
  });
}
