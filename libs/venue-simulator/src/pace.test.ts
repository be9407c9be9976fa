import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BATCH_FRAMES, Pace } from './pace.js';
import { RecordingClock } from './recording-clock.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Sends whatever is due in steps of `stepMs` for `ms`. */
function sentWithin(pace: Pace, ms: number, stepMs: number): number {
  let sent = 0;
  for (let passed = 0; passed < ms; passed += stepMs) {
    vi.advanceTimersByTime(stepMs);
    for (let due = pace.due(); due > 0; due = pace.due()) {
      pace.spend(due);
      sent += due;
    }
  }
  return sent;
}

describe('Pace', () => {
  it.each([1, 7, 1000, 5000, 50_000])('sends %d frames a second', (rate) => {
    expect(sentWithin(new Pace(rate), 10_000, 4)).toBeCloseTo(rate * 10, -1);
  });

  it('never gives more than a batch at once', () => {
    const pace = new Pace(100_000);
    vi.advanceTimersByTime(100);
    expect(pace.due()).toBe(BATCH_FRAMES);
    expect(new Pace('max').due()).toBe(BATCH_FRAMES);
  });

  it('makes up for a quarter of a second after a stall, not for the stall', () => {
    expect(sentWithin(new Pace(1000), 60_000, 60_000)).toBe(250);
  });

  it('counts snapshots in: what was sent too early is not sent again', () => {
    const pace = new Pace(1000);
    pace.spend(100);
    expect(sentWithin(pace, 1000, 4)).toBe(900);
  });
});

describe('RecordingClock', () => {
  it.each([
    [1, 500],
    [10, 50],
  ])('at speed %d waits %d ms for what was received half a second later', (speed, wait) => {
    const clock = new RecordingClock(speed);
    expect(clock.early(1_000_000)).toBe(0);
    expect(clock.early(1_000_500)).toBe(wait);
    vi.advanceTimersByTime(wait);
    expect(clock.early(1_000_500)).toBe(0);
  });

  it('never waits at full speed, nor for a frame without a time', () => {
    expect(new RecordingClock('max').early(5)).toBe(0);
    expect(new RecordingClock(1).early(undefined)).toBe(0);
  });

  it('goes on at the recorded pace after a stall instead of rushing', () => {
    const clock = new RecordingClock(1);
    clock.early(0);
    vi.advanceTimersByTime(60_000);
    expect(clock.early(1)).toBeLessThan(0);
    expect(clock.early(101)).toBe(100);
  });
});
