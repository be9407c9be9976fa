import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { MarketDataError } from '@aipx/market-model';
import { readAll, textOf } from '../../src/contract/entries.js';
import type { EventLog, LogEntry, TopicPartition } from '../../src/index.js';

/** Of one size, so that a batch can be taken for another one. */
const BATCH = 50;
const KEYS_A_LANE = 3;
const RETRY_AFTER_MS = 20;

interface Lane {
  readonly partition: TopicPartition;
  readonly keys: readonly string[];
  sent: number;
  acknowledged: number;
}

/** Appends to each partition of a topic, batch after batch, as the pipeline does: one call at a time a partition. */
export class Lanes {
  readonly failures: MarketDataError[] = [];
  readonly #log: EventLog;
  readonly #lanes: readonly Lane[];
  readonly #running: Promise<unknown>;
  readonly #watching = new Set<() => void>();
  #isEnding = false;

  constructor(log: EventLog, topic: string, partitions: number) {
    this.#log = log;
    this.#lanes = Array.from({ length: partitions }, (_, partition) => ({
      partition: { topic, partition },
      keys: keysOf(log, { topic, partition }),
      sent: 0,
      acknowledged: 0,
    }));
    this.#running = Promise.all(this.#lanes.map((lane) => this.#run(lane)));
  }

  /** Records of all lanes so far. */
  get sent(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.sent, 0);
  }

  /** Batches of all lanes so far. */
  get batches(): number {
    return this.sent / BATCH;
  }

  /** Resolves when every lane has had so many more batches acknowledged. */
  async acknowledged(batches: number): Promise<void> {
    const goals = this.#lanes.map(({ acknowledged }) => acknowledged + batches * BATCH);
    await this.#until(() => this.#lanes.every(({ acknowledged }, lane) => acknowledged >= (goals[lane] ?? 0)));
  }

  /** Resolves with the next append that fails. */
  async failed(): Promise<MarketDataError> {
    const before = this.failures.length;
    await this.#until(() => this.failures.length > before);
    return this.failures[before] as MarketDataError;
  }

  /** Lets what is under way be acknowledged, and ends. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#running;
  }

  /** Expects the log to hold what was sent: everything, once, and in the order of each key. */
  async expectInLog(log: EventLog): Promise<void> {
    for (const { partition, keys, sent } of this.#lanes) {
      const records = await readAll(log, partition, 1_000);
      for (const [index, key] of keys.entries()) {
        const numbers = records.filter((record) => record.key === key).map((record) => Number(textOf(record)));
        const expected = Array.from({ length: sent }, (_, number) => number).filter((n) => n % keys.length === index);
        expect(numbers).toEqual(expected);
      }
      expect(records).toHaveLength(sent);
    }
  }

  async #until(holds: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const look = () => {
      if (holds()) resolve(undefined);
    };
    this.#watching.add(look);
    await Promise.race([promise, this.#running]);
    this.#watching.delete(look);
  }

  async #run(lane: Lane): Promise<void> {
    while (!this.#isEnding) {
      const batch = Array.from({ length: BATCH }, () => numbered(lane));
      while (!(await this.#append(batch))) await sleep(RETRY_AFTER_MS);
      lane.acknowledged += batch.length;
      this.#look();
    }
  }

  async #append(batch: readonly LogEntry[]): Promise<boolean> {
    try {
      await this.#log.append(batch);
      return true;
    } catch (error) {
      if (!(error instanceof MarketDataError) || !error.retryable) throw error;
      this.failures.push(error);
      this.#look();
      return false;
    }
  }

  #look(): void {
    for (const look of this.#watching) look();
  }
}

function numbered(lane: Lane): LogEntry {
  const number = lane.sent;
  lane.sent += 1;
  const key = lane.keys[number % lane.keys.length] ?? '';
  return { topic: lane.partition.topic, key, value: Buffer.from(String(number)), headers: {} };
}

function keysOf(log: EventLog, { topic, partition }: TopicPartition): readonly string[] {
  const keys: string[] = [];
  for (let n = 0; keys.length < KEYS_A_LANE; n += 1) {
    if (log.partitionFor(topic, `KRW-${n}`).partition === partition) keys.push(`KRW-${n}`);
  }
  return keys;
}
