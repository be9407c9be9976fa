import type { AppendOptions, EventLog, LogEntry } from '@aipx/event-log';
import { MarketDataError, type Gap } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { FramePublisher, type PublisherOptions } from './frame-publisher.js';
import type { FrameUnit } from './frame-unit.js';

/** A log that can be told to fail or to wait. */
class ScriptedLog {
  readonly appended: { entries: readonly LogEntry[]; options: AppendOptions | undefined }[] = [];
  beforeAppend: () => Promise<void> = () => Promise.resolve();

  async append(entries: readonly LogEntry[], options?: AppendOptions): Promise<void> {
    await this.beforeAppend();
    this.appended.push({ entries, options });
  }

  get details(): string[] {
    return this.appended.flatMap(({ entries }) => entries.map((entry) => entry.key));
  }
}

function publisher(log: ScriptedLog, change: Partial<PublisherOptions> = {}) {
  const pressure: boolean[] = [];
  const faults: MarketDataError[] = [];
  const instance = new FramePublisher({
    log: log as unknown as EventLog,
    maxWaitingFrames: 4,
    maxWaitingBytes: 1_000,
    maxBatchFrames: 2,
    lingerMs: 1,
    onPressure: (pause) => pressure.push(pause),
    onFault: (error) => faults.push(error),
    ...change,
  });
  return { instance, pressure, faults };
}

function unit(symbol: string, change: Partial<FrameUnit> = {}): FrameUnit {
  const gap: Gap = {
    kind: 'gap',
    exchange: 'upbit',
    symbol,
    channel: 'tick',
    from: 1n,
    to: 2n,
    cause: 'RECONNECT',
    missed: 0n,
    missedVolume: undefined,
    detail: '',
  };
  return { events: [gap], deadLetters: [], bytes: 10, ...change };
}

const never = new AbortController().signal;

describe('publishing frames', () => {
  it('keeps their order over several batches and ends when all is in', async () => {
    const log = new ScriptedLog();
    const { instance } = publisher(log);
    const symbols = ['A', 'B', 'C', 'D', 'E'];
    for (const symbol of symbols) instance.offer(unit(symbol));
    instance.end();
    await instance.run(never);
    expect(log.details).toEqual(symbols);
    expect(log.appended.map(({ entries }) => entries.length)).toEqual([2, 2, 1]);
    expect(instance.status.counts.gaps).toBe(5);
  });

  it('pauses the source when too many frames wait and lets it go on at half', async () => {
    const log = new ScriptedLog();
    const { instance, pressure } = publisher(log);
    for (const symbol of ['A', 'B', 'C', 'D']) instance.offer(unit(symbol));
    expect(pressure).toEqual([true]);
    instance.end();
    await instance.run(never);
    expect(pressure).toEqual([true, false]);
  });

  it('pauses the source when too many bytes wait', () => {
    const { instance, pressure } = publisher(new ScriptedLog());
    instance.offer(unit('A', { bytes: 1_000 }));
    expect(pressure).toEqual([true]);
  });

  it('sends a batch again unchanged until the log takes it', async () => {
    const log = new ScriptedLog();
    let failures = 2;
    log.beforeAppend = () => {
      if (failures-- > 0) throw new MarketDataError('STORE_UNAVAILABLE', 'disk full', { retryable: true });
      return Promise.resolve();
    };
    const { instance, faults } = publisher(log);
    instance.offer(unit('A'));
    instance.end();
    await instance.run(never);
    expect(log.details).toEqual(['A']);
    expect(faults.map(({ code }) => code)).toEqual(['STORE_UNAVAILABLE', 'STORE_UNAVAILABLE']);
  });

  it('fails with what trying again cannot mend', async () => {
    const log = new ScriptedLog();
    log.beforeAppend = () => Promise.reject(new MarketDataError('STORE_DAMAGED', 'not a log'));
    const { instance } = publisher(log);
    instance.offer(unit('A'));
    await expect(instance.run(never)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('moves the position of one source an append, to its last frame', async () => {
    const log = new ScriptedLog();
    const { instance } = publisher(log, { maxBatchFrames: 10 });
    const steps = [
      { source: 'x', frames: 1 },
      { source: 'x', frames: 2 },
      { source: 'y', frames: 1 },
    ];
    for (const progress of steps) instance.offer(unit('A', { progress }));
    instance.end();
    await instance.run(never);
    expect(log.appended.map(({ options }) => options?.progress)).toEqual([
      { source: 'x', frames: 2 },
      { source: 'y', frames: 1 },
    ]);
  });

  it('cuts a batch that would be too large for the log, never a frame', async () => {
    const log = new ScriptedLog();
    const { instance } = publisher(log, { maxBatchFrames: 10, maxWaitingBytes: 1e9 });
    const mebibytes = (count: number) => unit('A', { bytes: count * 1024 * 1024 });
    for (const frame of [mebibytes(5), mebibytes(5), mebibytes(20), mebibytes(1), mebibytes(1)]) instance.offer(frame);
    instance.end();
    await instance.run(never);
    expect(log.appended.map(({ entries }) => entries.length)).toEqual([1, 1, 1, 2]);
  });

  it('stops at once when told to, while waiting for frames, for company and for a failing log', async () => {
    const stop = new AbortController();
    const idle = publisher(new ScriptedLog()).instance.run(stop.signal);
    const lingering = publisher(new ScriptedLog(), { lingerMs: 3_600_000 });
    lingering.instance.offer(unit('A'));
    const failing = new ScriptedLog();
    failing.beforeAppend = () => Promise.reject(new MarketDataError('STORE_UNAVAILABLE', 'away', { retryable: true }));
    const retrying = publisher(failing);
    retrying.instance.offer(unit('A'));
    const all = Promise.all([idle, lingering.instance.run(stop.signal), retrying.instance.run(stop.signal)]);
    stop.abort();
    await all;
    expect(retrying.instance.status.counts.gaps).toBe(0);
  });
});
