import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import { vi } from 'vitest';

/** Timers move only when told to, those of the simulated venue too; sockets stay real. */
export function holdTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
}

/** What goes over the sockets meanwhile arrives. */
export async function pass(seconds: number, stepMs = 100): Promise<void> {
  for (let left = seconds * 1_000; left > 0; left -= stepMs) {
    vi.advanceTimersByTime(stepMs);
    for (let turn = 0; turn < 20; turn += 1) await eventLoopTurn();
  }
}

/** Lets time pass until it is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pass(0.1);
}
