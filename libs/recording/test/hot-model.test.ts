import type { TopicPartition } from '@aipx/event-log';
import { parseDecimal, type MarketDataError, type Tick } from '@aipx/market-model';
import { encodeEvent } from '@aipx/market-proto';
import fc from 'fast-check';
import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HotRecorder, RecordingPipeline } from '../src/index.js';
import { HOT_PROTOCOL, type stepFrom as stepFromProtocol } from '../src/hot/hot-protocol.js';
import { ModelLog, ModelMember, TOPIC } from './support/model-group.js';
import { ModelStore, type Outcome } from './support/model-store.js';

/** How waits end in the run under way: one step of the schedule each. */
const schedule = vi.hoisted(() => ({ pause: async (): Promise<void> => undefined }));
const taken = vi.hoisted(() => new Set<string>());

vi.mock('../src/backoff.js', () => ({
  backOff: async (_: number, signal: AbortSignal) => {
    await schedule.pause();
    signal.throwIfAborted();
  },
}));
vi.mock('../src/hot/hot-protocol.js', async (original) => {
  const protocol = await original<{ readonly stepFrom: typeof stepFromProtocol }>();
  const stepFrom: typeof stepFromProtocol = (state, step) => {
    const next = protocol.stepFrom(state, step);
    taken.add(`${state}: ${step} -> ${next}`);
    return next;
  };
  return { ...protocol, stepFrom };
});

/** Far more than any run needs once nothing fails any more. */
const MOST_STEPS = 5_000;
const PARTITIONS = 2;
const PROCESSES = 3;

type Action =
  | { readonly do: 'append'; readonly partition: number; readonly records: readonly Kind[] }
  | { readonly do: 'assign'; readonly process: number; readonly partition: number }
  | { readonly do: 'revoke'; readonly process: number; readonly partition: number }
  | { readonly do: 'flush'; readonly process: number }
  | { readonly do: 'crash'; readonly process: number }
  | { readonly do: 'retain'; readonly partition: number; readonly share: number }
  | { readonly do: 'fail over'; readonly lost: number }
  | { readonly do: 'steps'; readonly count: number };

type Kind = 'good' | 'undecodable' | 'refused';

const process = fc.nat(PROCESSES - 1);
const partition = fc.nat(PARTITIONS - 1);
const kind = fc.constantFrom<Kind>('good', 'good', 'good', 'undecodable', 'refused');
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('steps' as const), count: fc.nat(30) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      partition,
      records: fc.array(kind, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('assign' as const), process, partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('revoke' as const), process, partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const), process }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), process }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('retain' as const),
      partition,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail over' as const), lost: fc.nat(3) }) },
);
const outcome = fc.constantFrom<Outcome>(
  'committed',
  'committed',
  'committed',
  'fails before it compares',
  'fails while it copies',
  'lost before the server',
  'answer lost',
  'lands late',
  'ends late without landing',
);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('the hot protocol', () => {
  it('stores each record once, whatever processes, group, log and database do meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(action, { maxLength: 60, size: 'max' }),
        fc.array(outcome, { maxLength: 40, size: 'max' }),
        fc.boolean(),
        async (scheduler, actions, outcomes, zombies) => {
          const world = new World(scheduler, outcomes, zombies);
          for (const each of actions) await world.act(each);
          await world.finish();
          world.expectEachRecordOnce();
          // What a failover lost was counted, and is counted again. And a COMMIT that did not land looks as if it had when
          // another owner has stored the very same meanwhile.
          if (!zombies && !actions.some((each) => each.do === 'fail over')) world.expectNothingCountedTwice();
        },
      ),
      { numRuns: 250, seed: 20_210_417 },
    );
    const named = Object.entries(HOT_PROTOCOL).flatMap(([state, steps]) =>
      Object.entries(steps).map(([step, next]) => `${state}: ${step} -> ${next}`),
    );
    expect([...taken].sort()).toEqual(named.sort());
  }, 120_000);
});

/** Some processes with a recorder each, over one log, one group and one database. */
class World {
  readonly #scheduler: fc.Scheduler;
  readonly #zombies: boolean;
  readonly #log = new ModelLog(PARTITIONS);
  readonly #store: ModelStore;
  readonly #kinds = new Map<string, Kind>();
  readonly #processes: Process[];
  readonly #pause: () => Promise<void>;
  #outcomes: Outcome[];
  readonly #started: Process[] = [];
  readonly #failures: unknown[] = [];
  #trade = 0;

  /** @param zombies whether a process goes on with what another one was given */
  constructor(scheduler: fc.Scheduler, outcomes: readonly Outcome[], zombies: boolean) {
    this.#scheduler = scheduler;
    this.#zombies = zombies;
    this.#outcomes = [...outcomes];
    this.#pause = async () => void (await scheduler.schedule(Promise.resolve()));
    schedule.pause = this.#pause;
    this.#store = new ModelStore(this.#pause, () => this.#outcomes.shift() ?? 'committed');
    this.#processes = Array.from({ length: PROCESSES }, () => this.#start());
  }

  async act(action: Action): Promise<void> {
    const at = 'partition' in action ? this.#at(action.partition) : this.#at(0);
    const one = 'process' in action ? this.#processes[action.process] : undefined;
    switch (action.do) {
      case 'append':
        for (const kind of action.records) this.#append(at, kind);
        return;
      case 'assign':
        if (!this.#zombies) for (const other of this.#processes) if (other !== one) other.member.revoke(at);
        one?.member.assign(at);
        return;
      case 'revoke':
        one?.member.revoke(at);
        return;
      case 'flush':
        one?.recorder.flush(NEVER).catch(() => undefined);
        return;
      case 'crash':
        if (one !== undefined) one.member.isDead = true;
        this.#processes[action.process] = this.#start();
        return;
      case 'retain': {
        const { begin, end } = this.#log.range(at);
        this.#log.cut(at, begin + BigInt(Math.floor(Number(end - begin) * action.share)));
        return;
      }
      case 'fail over':
        this.#store.failOver(action.lost);
        return;
      case 'steps':
        for (let step = 0; step < action.count; step += 1) await this.#step();
    }
  }

  /** All crash, what they had sent goes on, and one process without faults takes all over. */
  async finish(): Promise<void> {
    this.#outcomes = [];
    for (const { member } of this.#processes) member.isDead = true;
    const last = this.#start();
    for (const partition of this.#log.partitions) last.member.assign(partition);
    await this.#until(last.pipeline.drain(NEVER));
    last.member.isDead = true;
  }

  expectEachRecordOnce(): void {
    expect(this.#failures).toEqual([]);
    const { positions, rows } = this.#store.content;
    for (const partition of this.#log.partitions) {
      const key = `${partition.topic}/${partition.partition}`;
      const { end } = this.#log.range(partition);
      expect(positions.get(key)?.nextOffset).toBe(end);
      const covered = rows
        .filter((row) => row.startsWith(`${key}/`))
        .flatMap((row) => offsetsOf(row.slice(key.length + 1)));
      const buried = new Set(this.#log.deadLetters);
      const beginning = this.#store.beginningOf(key);
      for (let offset = beginning; offset < end; offset += 1n) {
        const times = covered.filter((each) => each === offset).length;
        const kind = this.#kinds.get(`${key}/${offset}`);
        const isBuried = buried.has(`${key}/${offset}`);
        if (kind === 'good') expect([`${key}/${offset}`, times, isBuried]).toEqual([`${key}/${offset}`, 1, false]);
        else
          expect([`${key}/${offset}`, times + Number(isBuried) >= 1, times <= 1]).toEqual([
            `${key}/${offset}`,
            true,
            true,
          ]);
      }
      expect(covered.filter((offset) => offset < beginning || offset >= end)).toEqual([]);
    }
  }

  async #step(): Promise<void> {
    await settled();
    if (this.#scheduler.count() > 0) await this.#scheduler.waitOne();
  }

  async #until(end: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = end.finally(() => {
      isOver = true;
    });
    for (let step = 0; !isOver; step += 1) {
      if (step > MOST_STEPS) throw new Error('it goes on for ever');
      await this.#step();
    }
    await over;
  }

  expectNothingCountedTwice(): void {
    const ticks = this.#store.content.rows.filter((row) => !row.includes('-'));
    const counted = this.#started.reduce((sum, { recorder }) => sum + recorder.counts.tick, 0);
    expect(counted).toBeLessThanOrEqual(ticks.length);
  }

  #start(): Process {
    const member: ModelMember = new ModelMember(this.#log, this.#pause, () => ({
      offset: BigInt(this.#trade % 7),
      metadata: 'reset by somebody',
    }));
    const store = this.#store.connect(() => member.isDead);
    const onFault = (fault: MarketDataError) => {
      if (!fault.retryable) throw fault;
    };
    const recorder = new HotRecorder({
      log: member.eventLog,
      store,
      signal: NEVER,
      batchSize: 2,
      writers: 2,
      maxBufferedRecords: 5,
      onFault,
    });
    const pipeline = new RecordingPipeline({ log: member.eventLog, recorder, group: 'hot', topics: [TOPIC], onFault });
    pipeline.run(NEVER).catch((error: unknown) => {
      this.#failures.push(error);
    });
    const started = { member, recorder, pipeline };
    this.#started.push(started);
    return started;
  }

  #append(partition: TopicPartition, kind: Kind): void {
    this.#trade += 1;
    this.#kinds.set(`${partition.topic}/${partition.partition}/${this.#log.range(partition).end}`, kind);
    const tradeId = kind === 'refused' ? 'refused' : String(this.#trade);
    this.#log.add(partition, kind === 'undecodable' ? Buffer.from('?') : encodeEvent({ ...TICK, tradeId }));
  }

  #at(index: number): TopicPartition {
    const partition = this.#log.partitions[index];
    if (partition === undefined) throw new TypeError(`no partition ${index}`);
    return partition;
  }
}

interface Process {
  readonly member: ModelMember;
  readonly recorder: HotRecorder;
  readonly pipeline: RecordingPipeline;
}

const NEVER = new AbortController().signal;

const TICK: Tick = {
  kind: 'tick',
  exchange: 'upbit',
  symbol: 'KRW-A',
  price: parseDecimal('1'),
  volume: parseDecimal('1'),
  timestamp: 1n,
  change: undefined,
  changeRate: undefined,
  side: 'BUY',
  tradeId: '',
  receivedTimestamp: 1n,
  streamType: 'REALTIME',
};

/** `7` or `3-5`. */
function offsetsOf(row: string): bigint[] {
  const [first = '', last = first] = row.split('-');
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, n) => BigInt(first) + BigInt(n));
}
