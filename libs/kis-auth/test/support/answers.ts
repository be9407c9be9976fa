import { AnswerPlace } from '../../src/answers/answer-place.js';
import { SharedAnswer, type AnswerStep, type Question } from '../../src/answers/shared-answer.js';
import { AttemptLog } from '../../src/attempts/attempt-log.js';
import { answerNames } from '../../src/stores/names.js';
import { FaultyStore } from './faulty-store.js';
import { MORNING } from './keys.js';
import { ManualClock } from './manual-clock.js';

const { signal } = new AbortController();
export const [MINUTE, DAY] = [60_000, 86_400_000];
export const ATTEMPTS = 'kis:attempt:real:0123456789ab';
export const NAMES = answerNames();

/** Processes that share an answer, a clock by hand, and a question that counts how often it is asked. */
export function scene() {
  const clock = new ManualClock(MORNING);
  const shared = new FaultyStore(clock);
  const asked: number[] = [];
  const question: Question = {
    prepare: () => Promise.resolve(),
    ask: () => {
      asked.push(clock.now());
      return Promise.resolve(`answer ${asked.length}`);
    },
    restMs: () => 10 * MINUTE,
  };
  /** A process on a machine of its own, unless it shares the machine's store. */
  const open = (machine: FaultyStore | undefined = new FaultyStore(clock)) => {
    const place = (store: FaultyStore, locks: readonly FaultyStore[]) =>
      new AnswerPlace({ names: NAMES, store, locks, attempts: new AttemptLog(store, ATTEMPTS, clock), clock });
    const places = [place(shared, [machine, shared]), place(machine, [machine])] as const;
    return new SharedAnswer({ places, clock, quietAfterStartMs: 30_000 });
  };
  return { clock, shared, asked, question, open };
}

/** Steps one after the other until each waits for longer than it looks at others closely. */
export async function settle(
  clock: ManualClock,
  all: readonly SharedAnswer[],
  question: Question,
): Promise<AnswerStep[]> {
  const steps: AnswerStep[] = [];
  for (const answer of all) {
    let step = await answer.step(question, signal);
    for (; step.waitMs < 1_000; step = await answer.step(question, signal)) clock.advance(step.waitMs);
    steps.push(step);
  }
  return steps;
}
