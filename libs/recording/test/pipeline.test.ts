import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  EmbeddedEventLog,
  type EventLog,
  type LogRecord,
  type OffsetRange,
  type TopicPartition,
} from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RecordingPipeline } from '../src/pipeline.js';
import type { Recorder, RecorderStatus } from '../src/recorder.js';

const TOPICS = ['market.tick', 'market.gap'];
const moved = () => new MarketDataError('STORE_POSITION_MOVED', 'another writer was here', { retryable: true });
const soon = () => AbortSignal.timeout(10_000);

describe('a recording pipeline', () => {
  it('is ready when every partition is assigned, and drained when all the log has is stored', async () => {
    const { log, recorder, pipeline } = await start();
    await pipeline.ready(soon());
    expect(recorder.assigned.size).toBe(4);
    await append(log, 50);
    await pipeline.drain(soon());
    expect(recorder.storedCount()).toBe(50);
  });

  it('is drained at once when the log is empty', async () => {
    const { pipeline, recorder } = await start();
    await pipeline.drain(soon());
    expect(recorder.storedCount()).toBe(0);
  });

  it('does not take what was handed over for stored', async () => {
    const { log, recorder, pipeline } = await start();
    const flushing = Promise.withResolvers<undefined>();
    const mayStore = Promise.withResolvers<undefined>();
    recorder.beforeFlush = async () => {
      flushing.resolve(undefined);
      await mayStore.promise;
    };
    await append(log, 5);
    let drained = false;
    const drain = pipeline.drain(soon()).then(() => (drained = true));
    await flushing.promise;
    expect(drained).toBe(false);
    mayStore.resolve(undefined);
    await drain;
    expect(recorder.storedCount()).toBe(5);
  });

  it.each(['onAssigned', 'onRecords'] as const)(
    'begins again at the stored position when %s finds it moved',
    async (call) => {
      const { log, recorder, pipeline, faults } = await start((recording) => recording.failNext(call, moved()));
      await append(log, 20);
      await pipeline.drain(soon());
      expect(faults).toEqual(['STORE_POSITION_MOVED']);
      expect(recorder.storedCount()).toBe(20);
      expect(recorder.stored.size).toBe(20);
    },
  );

  it('begins again when a flush finds the position moved', async () => {
    const { log, recorder, pipeline, faults } = await start();
    await append(log, 20);
    recorder.beforeFlush = async () => {
      recorder.beforeFlush = undefined;
      recorder.fail(moved());
      throw moved();
    };
    await pipeline.drain(soon());
    expect(faults).toEqual(['STORE_POSITION_MOVED']);
    expect(recorder.storedCount()).toBe(20);
  });

  it('begins again when the recorder fails while nothing is handed over', async () => {
    const { recorder, pipeline, faults } = await start();
    await pipeline.ready(soon());
    const again = recorder.nextAssignment();
    recorder.fail(moved());
    await again;
    expect(faults).toEqual(['STORE_POSITION_MOVED']);
  });

  it('begins again after any failure that another try may mend', async () => {
    const outage = new MarketDataError('STORE_UNAVAILABLE', 'no connection', { retryable: true });
    const { log, recorder, pipeline, faults } = await start((recording) => recording.failNext('onRecords', outage));
    await append(log, 20);
    await pipeline.drain(soon());
    expect(faults).toEqual(['STORE_UNAVAILABLE']);
    expect(recorder.storedCount()).toBe(20);
  });

  it('does not count a partition whose assignment was given up as read', async () => {
    const partition = { topic: 'market.tick', partition: 0 };
    const reason = new Error('the group rebalances');
    const recorder = new FaultyRecorder();
    recorder.failNext('onAssigned', reason);
    const assigned: (readonly TopicPartition[])[] = [];
    const consume: EventLog['consume'] = async (_, handler, signal) => {
      const assigning = handler.onAssigned(partition, { begin: 0n, end: 0n }, undefined, signal);
      assigned.push(pipeline.assigned);
      await expect(assigning).rejects.toBe(reason);
      assigned.push(pipeline.assigned);
    };
    const log = { consume } as EventLog;
    const stop = new AbortController();
    const pipeline = new RecordingPipeline({ log, recorder, group: 'test', topics: TOPICS });
    recorder.onceRevoked = () => stop.abort();
    await pipeline.run(stop.signal);
    expect(assigned).toEqual([[partition], []]);
  });

  it('ends with a failure that no try can mend, and so does whoever waits for it', async () => {
    const { running, pipeline, faults, recorder } = await start((recording) =>
      recording.failNext('onAssigned', new MarketDataError('STORE_LOG_MISMATCH', 'another log')),
    );
    await expect(running).rejects.toMatchObject({ code: 'STORE_LOG_MISMATCH' });
    await expect(pipeline.drain(soon())).rejects.toMatchObject({ code: 'STORE_LOG_MISMATCH' });
    await expect(pipeline.ready(soon())).rejects.toMatchObject({ code: 'STORE_LOG_MISMATCH' });
    expect(faults).toEqual([]);
    expect(recorder.assigned.size).toBe(0);
  });

  it('ends with a mistake of the program too: a new try would not mend it', async () => {
    const { running } = await start((recording) => recording.failNext('onAssigned', new TypeError('undefined')));
    await expect(running).rejects.toThrow(TypeError);
  });

  it('revokes everything and resolves when it is stopped', async () => {
    const { running, pipeline, recorder, stop } = await start();
    await pipeline.ready(soon());
    stop.abort();
    await running;
    expect(recorder.assigned.size).toBe(0);
  });

  it('lets whoever waits for it give up', async () => {
    const { log, recorder, pipeline } = await start();
    const giveUp = new AbortController();
    recorder.beforeFlush = (signal) => {
      setImmediate(() => {
        giveUp.abort(new Error('no more time'));
      });
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    };
    await append(log, 1);
    await expect(pipeline.drain(giveUp.signal)).rejects.toThrow('no more time');
  });

  it('waits for something new when a flush stores nothing, instead of flushing again and again', async () => {
    const { log, recorder, pipeline } = await start();
    const idle = Promise.withResolvers<undefined>();
    let flushes = 0;
    recorder.storesNothing = true;
    recorder.beforeFlush = async () => {
      flushes += 1;
      if (flushes > 1000) throw new TypeError('it spins');
      setImmediate(() => {
        idle.resolve(undefined);
      });
    };
    await append(log, 5);
    await pipeline.ready(soon());
    const drained = pipeline.drain(soon());
    await Promise.race([idle.promise, drained]);
    recorder.storesNothing = false;
    await append(log, 1);
    await drained;
    expect(recorder.storedCount()).toBeGreaterThanOrEqual(5);
  });
});

type Call = 'onAssigned' | 'onRecords';

/** Stores in memory, and fails when it is told to. */
class FaultyRecorder implements Recorder {
  readonly name = 'hot';
  readonly assigned = new Map<string, bigint>();
  readonly stored = new Set<string>();
  beforeFlush: ((signal: AbortSignal) => Promise<unknown>) | undefined;
  onceRevoked: () => void = () => undefined;
  storesNothing = false;
  #stored = 0;
  #failure = new AbortController();
  #handed: LogRecord[] = [];
  readonly #positions = new Map<string, bigint>();
  readonly #faults = new Map<Call, Error>();
  #assignment = Promise.withResolvers<undefined>();

  get status(): RecorderStatus {
    const { length } = this.#handed;
    const unknown = { bufferedBytes: 0, waitingSince: undefined, newestStored: undefined, fault: undefined, pauses: 0 };
    return { ...unknown, bufferedRecords: length };
  }

  get failure(): AbortSignal {
    return this.#failure.signal;
  }

  fail(error: Error): void {
    this.#failure.abort(error);
  }

  failNext(call: Call, error: Error): void {
    this.#faults.set(call, error);
  }

  nextAssignment(): Promise<undefined> {
    this.#assignment = Promise.withResolvers();
    return this.#assignment.promise;
  }

  storedCount(): number {
    return this.#stored;
  }

  storedTo(partition: TopicPartition): bigint | undefined {
    return this.assigned.get(keyOf(partition));
  }

  async onAssigned(partition: TopicPartition, range: OffsetRange): Promise<bigint> {
    this.#throwNext('onAssigned');
    const position = this.#positions.get(keyOf(partition)) ?? range.begin;
    this.assigned.set(keyOf(partition), position);
    this.#assignment.resolve(undefined);
    return position;
  }

  async onRecords(_: TopicPartition, records: readonly LogRecord[]): Promise<void> {
    this.#throwNext('onRecords');
    this.#handed.push(...records);
  }

  async onRevoked(partition: TopicPartition): Promise<void> {
    this.assigned.delete(keyOf(partition));
    this.#handed = [];
    this.onceRevoked();
    if (this.assigned.size === 0 && this.#failure.signal.aborted) this.#failure = new AbortController();
  }

  async flush(signal: AbortSignal): Promise<void> {
    this.#failure.signal.throwIfAborted();
    await this.beforeFlush?.(signal);
    signal.throwIfAborted();
    if (this.storesNothing) return;
    for (const record of this.#handed.splice(0)) {
      this.#stored += 1;
      this.stored.add(`${keyOf(record)}/${record.offset}`);
      this.#positions.set(keyOf(record), record.offset + 1n);
      this.assigned.set(keyOf(record), record.offset + 1n);
    }
  }

  #throwNext(call: Call): void {
    const error = this.#faults.get(call);
    this.#faults.delete(call);
    if (error !== undefined) throw error;
  }
}

async function start(prepare: (recorder: FaultyRecorder) => void = () => undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-pipeline-'));
  const log = await EmbeddedEventLog.open({
    path: join(folder, 'log.db'),
    topics: Object.fromEntries(TOPICS.map((topic) => [topic, 2])),
  });
  const recorder = new FaultyRecorder();
  prepare(recorder);
  const faults: string[] = [];
  const pipeline = new RecordingPipeline({
    log,
    recorder,
    group: 'test',
    topics: TOPICS,
    onFault: ({ code }) => faults.push(code),
  });
  const stop = new AbortController();
  const running = pipeline.run(stop.signal);
  running.catch(() => undefined);
  onTestFinished(async () => {
    stop.abort();
    await running.catch(() => undefined);
    await log.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { log, recorder, pipeline, faults, stop, running };
}

async function append(log: EventLog, count: number): Promise<void> {
  const entries = Array.from({ length: count }, (_, n) => ({
    topic: TOPICS[n % 2] ?? '',
    key: `KRW-${n}`,
    value: Buffer.from(String(n)),
    headers: {},
  }));
  await log.append(entries);
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}
