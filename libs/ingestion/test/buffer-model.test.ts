import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { EventLog } from '@aipx/event-log';
import { decodeEvent } from '@aipx/market-proto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BufferedPublisher } from '../src/buffer/buffered-publisher.js';
import type { PublishCounts } from '../src/publisher.js';
import { SpillQueue } from '../src/spill/spill-queue.js';
import { book, tick, unit } from './buffer-harness.js';
import { ModelLog, type Outcome } from './model-log.js';

const KEYS = ['KRW-A', 'KRW-B', 'KRW-C', 'KRW-D'];

/** One process: what it is offered, how the log answers, how it ends. */
interface Life {
  /** Records to offer between turns of the event loop; every third is a book. */
  readonly bursts: readonly number[];
  readonly outcomes: readonly Outcome[];
  readonly end: 'drained' | 'deadline';
  readonly maxMessages: number;
}

const life: fc.Arbitrary<Life> = fc.record({
  bursts: fc.array(fc.nat(40), { maxLength: 12 }),
  outcomes: fc.array(fc.constantFrom<Outcome>('taken', 'taken', 'taken', 'refused', 'lost-answer', 'never-answered'), {
    maxLength: 30,
  }),
  end: fc.constantFrom('drained', 'deadline'),
  maxMessages: fc.integer({ min: 2, max: 60 }),
});

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aipx-buffer-model-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Everything that was offered, and what became of it. */
class World {
  readonly log: ModelLog;
  readonly ticks = new Map<string, number[]>();
  readonly offered = { tick: 0, orderbook: 0 };
  readonly counts: PublishCounts[] = [];
  #outcomes: Outcome[] = [];
  #id = 0;

  constructor() {
    this.log = new ModelLog(() => this.#outcomes.shift() ?? 'taken');
  }

  async live({ bursts, outcomes, end, maxMessages }: Life, spill: SpillQueue | undefined): Promise<void> {
    this.#outcomes = [...outcomes];
    this.log.newSender();
    const stop = new AbortController();
    const publisher = new BufferedPublisher({
      log: this.log as unknown as EventLog,
      limits: { ...LIMITS, maxMessages },
      ...(spill && { spill }),
      maxHopelessErrors: 0,
      onFault: () => undefined,
    });
    const running = publisher.run(stop.signal);
    for (const burst of bursts) {
      for (let count = 0; count < burst; count += 1) this.#offer(publisher);
      await turn();
    }
    // A log that never answers is waited for until the deadline.
    if (end === 'drained' && !outcomes.includes('never-answered')) publisher.end();
    else publisher.end(AbortSignal.abort());
    await running;
    this.counts.push(publisher.status.counts);
  }

  #offer(publisher: BufferedPublisher): void {
    this.#id += 1;
    const id = this.#id;
    const key = KEYS[id % KEYS.length] ?? '';
    if (id % 3 === 0) {
      this.offered.orderbook += 1;
      return publisher.offer(unit(book(key, id)));
    }
    this.offered.tick += 1;
    this.ticks.set(key, [...(this.ticks.get(key) ?? []), id]);
    publisher.offer(unit(tick(key, id)));
  }

  /** Ids of a key's trades, as the log has them. */
  logged(key: string): number[] {
    const entries = this.log.entriesOf('market.tick').filter((entry) => entry.key === key);
    return entries.map(({ value }) => idOf(value));
  }

  isNamed(key: string, id: number): boolean {
    return this.log.entriesOf('market.gap').some(({ value }) => {
      const gap = decodeEvent('gap', value);
      return gap.kind === 'gap' && gap.symbol === key && gap.channel === 'tick' && gap.from <= id && gap.to >= id;
    });
  }
}

const LIMITS = {
  maxMessages: 0,
  maxBytes: 1 << 20,
  bookTtlMs: 1_000,
  tradeTtlMs: 0,
  priority: 'trades',
  maxBatchRecords: 7,
  maxBatchBytes: 1 << 20,
  lingerMs: 0,
} as const;

const sound: Life = { bursts: [1], outcomes: [], end: 'drained', maxMessages: 50 };

describe('whatever the log answers', () => {
  it('no trade is lost or out of order with a disk, through any number of orderly ends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 3 }), async (lives) => {
        const world = new World();
        const spillFolder = mkdtempSync(join(folder, 'spill-'));
        for (const each of [...lives, sound]) {
          const spill = SpillQueue.open({ folder: spillFolder, maxBytes: 1 << 24 });
          await world.live(each, spill);
          spill.close();
        }
        expect(world.log.violations).toEqual([]);
        for (const [key, ids] of world.ticks) {
          const logged = world.logged(key);
          expect([...new Set(logged)].toSorted((a, b) => a - b)).toEqual(ids);
          expect(descents(logged)).toBeLessThanOrEqual(lives.length);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('every record is published, conflated or dropped, and a gap names each dropped trade', async () => {
    await fc.assert(
      fc.asyncProperty(life, async (one) => {
        const world = new World();
        const outcomes = one.outcomes.filter((outcome) => outcome !== 'never-answered');
        await world.live({ ...one, outcomes, end: 'drained' }, undefined);
        const [counts] = world.counts;
        if (counts === undefined) throw new Error('it ended');
        const { published, conflated, dropped } = counts;
        const offered = world.offered.tick + world.offered.orderbook;
        expect(published + conflated + dropped.expired + dropped.overflow).toBe(offered);
        expect(world.log.violations).toEqual([]);
        for (const [key, ids] of world.ticks) {
          const logged = world.logged(key);
          expect(logged).toEqual(logged.toSorted((a, b) => a - b));
          const missing = ids.filter((id) => !logged.includes(id));
          expect(missing.filter((id) => !world.isNamed(key, id))).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** How often the sequence begins again: once a process that sent what another had sent. */
function descents(ids: readonly number[]): number {
  return ids.filter((id, at) => at > 0 && id <= (ids[at - 1] ?? 0)).length;
}

function idOf(value: Uint8Array): number {
  const event = decodeEvent('tick', value);
  return event.kind === 'tick' ? Number(event.tradeId) : 0;
}
