import { describe, expect, it } from 'vitest';
import type { Question } from '../src/answers/shared-answer.js';
import { ATTEMPTS, DAY, MINUTE, scene, settle } from './support/answers.js';
import { FaultyStore } from './support/faulty-store.js';

const { signal } = new AbortController();

/** A question for which there is a token when the test says so. */
function withTokens(question: Question) {
  let token = Promise.withResolvers<undefined>();
  const give = () => token.resolve(undefined);
  const take = () => (token = Promise.withResolvers<undefined>());
  return { give, take, question: { ...question, prepare: () => token.promise } };
}

describe('a token to ask with', () => {
  it('that was there when another process had asked counts no longer the next day', async () => {
    const { clock, shared, asked, question, open } = scene();
    const tokens = withTokens(question);
    const [slow, other] = [open(), open()];
    await slow.step(tokens.question, signal);
    await settle(clock, [other], question);
    tokens.give();
    await slow.step(tokens.question, signal);
    tokens.take();
    clock.advance(DAY);
    const attempts = await shared.read(ATTEMPTS);
    await slow.step(tokens.question, signal);
    expect(asked).toHaveLength(1);
    expect(await shared.read(ATTEMPTS)).toBe(attempts);
    tokens.give();
    await settle(clock, [slow], tokens.question);
    expect(asked).toHaveLength(2);
  });

  it('that was there when the store went away counts no longer when it returns', async () => {
    const { clock, shared, asked, question, open } = scene();
    const tokens = withTokens(question);
    const answer = open();
    await settle(clock, [answer], question);
    clock.advance(DAY);
    await answer.step(tokens.question, signal);
    tokens.give();
    shared.isAway = true;
    await settle(clock, [answer], tokens.question);
    tokens.take();
    shared.comeBack();
    await answer.step(tokens.question, signal);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['', false],
    [' for the machine alone, while the store is away', true],
  ])('that is not to be had is looked for closely for a minute, then seldom%s', async (_, isAway) => {
    const { clock, shared, asked, question, open } = scene();
    const tokens = withTokens(question);
    const answer = open(new FaultyStore(clock));
    shared.isAway = isAway;
    await answer.step(tokens.question, signal);
    if (isAway) clock.advance(10 * MINUTE);
    const began = clock.now();
    expect((await answer.step(tokens.question, signal)).waitMs).toBeLessThan(1_000);
    expect((await settle(clock, [answer], tokens.question))[0]?.waitMs).toBe(10 * MINUTE);
    expect(clock.now() - began).toBeLessThan(MINUTE + 1_000);
    clock.advance(10 * MINUTE);
    expect((await answer.step(tokens.question, signal)).waitMs).toBe(10 * MINUTE);
    tokens.give();
    await settle(clock, [answer], tokens.question);
    expect(asked).toHaveLength(1);
  });
});

describe('a clock that is set back in a process that has asked', () => {
  it('delays its next question by no more than a day', async () => {
    const { clock, asked, question, open } = scene();
    const answer = open();
    clock.advance(90 * DAY);
    await settle(clock, [answer], question);
    clock.advance(-90 * DAY);
    await settle(clock, [answer], question);
    clock.advance(DAY - MINUTE);
    await settle(clock, [answer], question);
    expect(asked).toHaveLength(1);
    clock.advance(2 * MINUTE);
    await settle(clock, [answer], question);
    expect((await answer.newest())?.text).toBe('answer 2');
  });

  it('lets it put nothing old in the place of what others were told since', async () => {
    const { clock, question, open } = scene();
    const [first, other] = [open(), open()];
    clock.advance(90 * DAY);
    await settle(clock, [first], question);
    clock.advance(-90 * DAY);
    await settle(clock, [other], question);
    clock.advance(DAY + MINUTE);
    await settle(clock, [other], question);
    expect((await first.newest())?.text).toBe('answer 2');
    expect((await open().newest())?.text).toBe('answer 2');
  });

  it('and was while KIS answered makes it wait no longer than a day', async () => {
    const { clock, question, open } = scene();
    const ask: Question['ask'] = (...asks) => {
      const answer = question.ask(...asks);
      clock.advance(-90 * DAY);
      return answer;
    };
    expect((await open().step({ ...question, ask }, signal)).waitMs).toBe(DAY);
  });
});
