import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { AnswerPlace } from '../src/answers/answer-place.js';
import type { Question } from '../src/answers/shared-answer.js';
import { AttemptLog } from '../src/attempts/attempt-log.js';
import { ATTEMPTS, DAY, MINUTE, NAMES, scene, settle } from './support/answers.js';
import { FaultyStore } from './support/faulty-store.js';
import { MORNING } from './support/keys.js';
import { ManualClock } from './support/manual-clock.js';

const { signal } = new AbortController();

describe('an answer that all processes of a key share', () => {
  it('is asked for by one of them a day, and the others have it', async () => {
    const { clock, asked, question, open } = scene();
    const all = Array.from({ length: 10 }, () => open());
    const first = await Promise.all(all.map((answer) => answer.step(question, signal)));
    expect(first.filter(({ waitMs }) => waitMs === DAY)).toHaveLength(1);
    await settle(clock, all, question);
    expect(new Set((await Promise.all(all.map((answer) => answer.newest()))).map((known) => known?.text))).toEqual(
      new Set(['answer 1']),
    );
    clock.advance(DAY - MINUTE);
    await settle(clock, all, question);
    expect(asked).toHaveLength(1);
    clock.advance(2 * MINUTE);
    await Promise.all(all.map((answer) => answer.step(question, signal)));
    await settle(clock, all, question);
    expect(asked).toHaveLength(2);
  });

  it('is not asked for again by the others after a failure, until its rest is over, and then by one', async () => {
    const { clock, asked, question, open } = scene();
    const all = Array.from({ length: 10 }, () => open());
    const failing: Question = {
      ...question,
      ask: async (...asks) => {
        await question.ask(...asks);
        throw new MarketDataError('CONNECTION_FAILED', 'no answer');
      },
    };
    const steps = await Promise.all(all.map((answer) => answer.step(failing, signal)));
    expect(steps.filter(({ failure }) => failure !== undefined)).toHaveLength(1);
    for (const { waitMs } of await settle(clock, all, failing)) expect(waitMs).toBeLessThanOrEqual(10 * MINUTE);
    expect(asked).toHaveLength(1);
    clock.advance(10 * MINUTE);
    await Promise.all(all.map((answer) => answer.step(failing, signal)));
    await settle(clock, all, failing);
    expect(asked).toHaveLength(2);
  });

  it('is not asked for by a process that had looked before another one asked and failed', async () => {
    const { clock, asked, question, open } = scene();
    const [machine, other] = [new FaultyStore(clock), open()];
    const swap = machine.swap.bind(machine);
    machine.swap = async (name, ...step) => {
      if (name === NAMES.lock) {
        machine.swap = swap;
        await settle(clock, [other], { ...question, ask: () => Promise.reject(new Error('no answer')) });
      }
      return await swap(name, ...step);
    };
    expect((await open(machine).step(question, signal)).waitMs).toBeGreaterThan(MINUTE);
    expect(asked).toEqual([]);
  });

  it('is not asked for when a store has lost that it was, and others still know it', async () => {
    const { clock, shared, asked, question, open } = scene();
    const holder = open();
    await settle(clock, [open(), holder], question);
    for (const name of [ATTEMPTS, NAMES.answer]) await shared.swap(name, await shared.read(name), undefined);
    await holder.newest();
    await settle(clock, [open()], question);
    expect(asked).toHaveLength(1);
  });

  it('is not asked for before a day is over when the process died over its question', async () => {
    const { clock, asked, question, open } = scene();
    const dead = open();
    const asks = Promise.withResolvers<undefined>();
    const forEver = () => {
      asks.resolve(undefined);
      return new Promise<never>(() => undefined);
    };
    void dead.step({ ...question, ask: forEver }, signal);
    await asks.promise;
    expect((await open().step(question, signal)).waitMs).toBeLessThan(1_000);
    while ((await open().step(question, signal)).waitMs < 1_000) clock.advance(MINUTE);
    const other = open();
    for (let ms = 0; ms < DAY - 10 * MINUTE; ms += 10 * MINUTE) {
      await other.step(question, signal);
      clock.advance(10 * MINUTE);
    }
    expect(asked).toEqual([]);
    clock.advance(10 * MINUTE);
    await settle(clock, [other], question);
    expect(asked).toHaveLength(1);
  });

  it('is not asked for by a process that stood still with the lock while another one asked', async () => {
    const { clock, shared, asked, question, open } = scene();
    const [slow, other] = [open(), open()];
    let reads = 0;
    shared.onRead = async (name) => {
      if (name !== ATTEMPTS) return;
      reads += 1;
      // The one between the lock and its own attempt.
      if (reads !== 3) return;
      clock.advance(2 * MINUTE);
      shared.onRead = () => undefined;
      await settle(clock, [other], question);
    };
    await settle(clock, [slow], question);
    expect(asked).toHaveLength(1);
    expect((await slow.newest())?.text).toBe('answer 1');
  });

  it('is asked for though the store took the note of it and seemed to be away', async () => {
    const { clock, shared, asked, question, open } = scene();
    const swap = shared.swap.bind(shared);
    let isLost = true;
    shared.swap = async (name, expected, next) => {
      const isSwapped = await swap(name, expected, next);
      if (isLost && name === ATTEMPTS) {
        isLost = false;
        throw new MarketDataError('STORE_UNAVAILABLE', 'no answer', { retryable: true });
      }
      return isSwapped;
    };
    await settle(clock, [open()], question);
    expect(asked).toHaveLength(1);
  });

  it('that is old is in use until another one is known', async () => {
    const { clock, shared, asked, question, open } = scene();
    await settle(clock, [open()], question);
    clock.advance(3 * DAY);
    const [first, second] = [open(), open()];
    expect((await first.newest())?.text).toBe('answer 1');
    shared.isAway = true;
    expect((await open().newest())?.text).toBeUndefined();
    shared.comeBack();
    await Promise.all([first, second].map((answer) => answer.step(question, signal)));
    await settle(clock, [first, second], question);
    expect((await second.newest())?.text).toBe('answer 2');
    expect(asked).toHaveLength(2);
  });

  it('counts at once as old where a clock that was ahead wrote it, and is asked for a day later', async () => {
    const { clock, asked, question, open } = scene();
    clock.advance(90 * DAY);
    await settle(clock, [open()], question);
    clock.advance(-90 * DAY);
    const answer = open();
    await settle(clock, [answer], question);
    clock.advance(DAY - MINUTE);
    await settle(clock, [answer, open()], question);
    expect([asked.length, (await answer.newest())?.text]).toEqual([1, 'answer 1']);
    clock.advance(2 * MINUTE);
    await settle(clock, [answer], question);
    expect([asked.length, (await open().newest())?.text]).toEqual([2, 'answer 2']);
  });
});

it('an older answer takes the place of no newer one', async () => {
  const clock = new ManualClock(MORNING);
  const store = new FaultyStore(clock);
  const place = new AnswerPlace({
    names: NAMES,
    store,
    locks: [store],
    attempts: new AttemptLog(store, ATTEMPTS, clock),
    clock,
  });
  await place.keep({ askedAt: 7, text: 'newer' });
  await place.keep({ askedAt: 6, text: 'older' });
  expect(await place.read()).toEqual({ askedAt: 7, text: 'newer' });
});

describe('a store that goes away', () => {
  it('costs no question of whoever knows an answer, on this machine too', async () => {
    const { clock, shared, asked, question, open } = scene();
    const machine = new FaultyStore(clock);
    await settle(clock, [open(machine)], question);
    shared.isAway = true;
    clock.advance(2 * DAY);
    const later = open(machine);
    for (let hours = 0; hours < 3; hours += 1) {
      await settle(clock, [later], question);
      clock.advance(60 * MINUTE);
    }
    expect([(await later.newest())?.text, asked.length]).toEqual(['answer 1', 1]);
  });

  it('is waited for by whoever knows nothing, ten minutes; then one process of its machine asks', async () => {
    const { clock, shared, asked, question, open } = scene();
    shared.isAway = true;
    const machine = new FaultyStore(clock);
    const [one, other] = [open(machine), open(machine)];
    const began = clock.now();
    await settle(clock, [one], question);
    expect(asked[0]).toBeGreaterThanOrEqual(began + 10 * MINUTE);
    await settle(clock, [other], question);
    expect((await other.newest())?.text).toBe('answer 1');
    expect(asked).toHaveLength(1);
  });

  it('twice is waited for ten minutes each time, though it came back too young to be asked', async () => {
    const { clock, shared, asked, question, open } = scene();
    const answer = open();
    const lookFor = async (minutes: number) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        await answer.step(question, signal);
        clock.advance(MINUTE);
      }
    };
    shared.isAway = true;
    await lookFor(9);
    [shared.isAway, shared.age] = [false, 0];
    await lookFor(1);
    shared.isAway = true;
    await lookFor(9);
    expect(asked).toEqual([]);
    await lookFor(2);
    expect(asked).toHaveLength(1);
  });

  it('leaves the machine the note of a question over which its process died', async () => {
    const { clock, shared, asked, question, open } = scene();
    const machine = new FaultyStore(clock);
    const asks = Promise.withResolvers<undefined>();
    const forEver = () => {
      asks.resolve(undefined);
      return new Promise<never>(() => undefined);
    };
    void open(machine).step({ ...question, ask: forEver }, signal);
    await asks.promise;
    shared.isAway = true;
    const other = open(machine);
    await other.step(question, signal);
    clock.advance(60 * MINUTE);
    expect((await other.step(question, signal)).waitMs).toBe(10 * MINUTE);
    expect(asked).toEqual([]);
  });

  it('again is waited for from then on', async () => {
    const { clock, shared, asked, question, open } = scene();
    const answer = open();
    shared.isAway = true;
    await answer.step(question, signal);
    clock.advance(9 * MINUTE);
    [shared.isAway, shared.age] = [false, 0];
    await answer.step(question, signal);
    shared.isAway = true;
    await answer.step(question, signal);
    clock.advance(9 * MINUTE);
    await answer.step(question, signal);
    expect(asked).toEqual([]);
  });

  it('is given what this machine was told when it returns, and nobody asks in between', async () => {
    const { clock, shared, asked, question, open } = scene();
    shared.isAway = true;
    await settle(clock, [open()], question);
    shared.age = 0;
    shared.comeBack();
    const stranger = open();
    for (let looks = 0; looks < 10; looks += 1) await stranger.step(question, signal);
    expect(asked).toHaveLength(1);
    expect((await stranger.newest())?.text).toBe('answer 1');
  });

  it('while KIS answers gets the answer when it returns', async () => {
    const { clock, shared, asked, question, open } = scene();
    const [one, other] = [open(), open()];
    const dying: Question = {
      ...question,
      ask: (...asks) => {
        shared.isAway = true;
        return question.ask(...asks);
      },
    };
    await settle(clock, [one], dying);
    expect((await other.step(question, signal)).waitMs).toBeLessThan(1_000);
    shared.comeBack();
    await settle(clock, [other], question);
    expect([(await other.newest())?.text, asked.length]).toEqual(['answer 1', 1]);
  });

  it('and came back a moment ago is given the time to be told what others know', async () => {
    const { clock, shared, asked, question, open } = scene();
    shared.age = 29_999;
    const answer = open();
    expect((await answer.step(question, signal)).waitMs).toBeLessThan(1_000);
    expect(asked).toEqual([]);
    shared.age = 30_000;
    await settle(clock, [answer], question);
    expect(asked).toHaveLength(1);
  });
});
