import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SilenceWatchdog } from './watchdog.js';

describe('the silence watchdog', () => {
  let silences: number;
  let watchdog: SilenceWatchdog;

  beforeEach(() => {
    vi.useFakeTimers();
    silences = 0;
    watchdog = new SilenceWatchdog(1_000, () => (silences += 1));
  });

  afterEach(() => {
    watchdog.stop();
    vi.useRealTimers();
  });

  it('barks once when nothing was heard for the whole time', async () => {
    watchdog.start();
    await vi.advanceTimersByTimeAsync(999);
    expect(silences).toBe(0);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(silences).toBe(1);
  });

  it('counts the time from what was heard last', async () => {
    watchdog.start();
    for (let n = 0; n < 20; n += 1) {
      await vi.advanceTimersByTimeAsync(900);
      watchdog.heard();
    }
    expect(silences).toBe(0);
    await vi.advanceTimersByTimeAsync(1_001);
    expect(silences).toBe(1);
  });

  it('is silent itself before it is started and after it is stopped', async () => {
    watchdog.heard();
    await vi.advanceTimersByTimeAsync(5_000);
    watchdog.start();
    watchdog.stop();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(silences).toBe(0);
    watchdog.start();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(silences).toBe(1);
  });

  it('hears what had arrived while the process was held up beyond the time', () => {
    watchdog.start();
    vi.advanceTimersByTime(999);
    // The timer is due; the socket is read after it and before the immediates.
    vi.runAllTicks();
    vi.advanceTimersToNextTimer();
    watchdog.heard();
    vi.advanceTimersByTime(999);
    expect(silences).toBe(0);
    vi.advanceTimersByTime(10);
    expect(silences).toBe(1);
  });
});
