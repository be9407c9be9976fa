import type { AttemptLog } from '../attempts/attempt-log.js';
import type { Attempt } from '../attempts/attempt.js';
import type { Clock } from '../clock.js';
import { tryLock, type Lock } from '../stores/lock.js';
import type { AnswerNames } from '../stores/names.js';
import type { SharedStore } from '../stores/shared-store.js';
import { parseStored } from '../stores/stored-json.js';

/** What KIS tells everyone alike. */
export interface Answer {
  /** When KIS was asked, ms since the epoch; 0 where a clock that was ahead has written it. */
  readonly askedAt: number;
  readonly text: string;
}

export interface AskAttempt extends Attempt {
  /** `STARTED` for ever if the process died over it. */
  readonly outcome: 'STARTED' | 'ANSWERED' | 'FAILED';
  /** The process that asks. */
  readonly by: string;
}

export interface AnswerPlaceOptions {
  readonly names: AnswerNames;
  readonly store: SharedStore;
  /** In order: whoever asks holds a lock in each. */
  readonly locks: readonly SharedStore[];
  /** Of the key by which KIS is asked, in the same store. */
  readonly attempts: AttemptLog;
  readonly clock: Pick<Clock, 'now'>;
}

/** Longer than a year, of which the answer tells. */
const KEPT_MS = 400 * 86_400_000;
/** What the attempt to ask says holds beyond its lock. */
const LOCK_TTL_MS = 60_000;
/** By which clocks of machines may differ. */
const TOLERANCE_MS = 60_000;

/** One of the places where the answer, and that it was asked for, are kept. All methods throw `STORE_UNAVAILABLE` while it is away. */
export class AnswerPlace {
  readonly store: SharedStore;
  readonly attempts: AttemptLog;
  readonly #options: AnswerPlaceOptions;

  constructor(options: AnswerPlaceOptions) {
    this.store = options.store;
    this.attempts = options.attempts;
    this.#options = options;
  }

  async read(): Promise<Answer | undefined> {
    return this.#parsed(await this.store.read(this.#options.names.answer));
  }

  /** Puts it there, unless one as new stands there or comes there meanwhile. */
  async keep(answer: Answer): Promise<void> {
    const { answer: name } = this.#options.names;
    const before = await this.store.read(name);
    const standing = this.#parsed(before);
    if (standing !== undefined && standing.askedAt >= answer.askedAt) return;
    await this.store.swap(name, before, { value: JSON.stringify(answer), ttlMs: KEPT_MS });
  }

  tryLock(): Promise<Lock | undefined> {
    const { locks, names } = this.#options;
    return tryLock(locks, names.lock, LOCK_TTL_MS);
  }

  #parsed(text: string | undefined): Answer | undefined {
    const answer = parseStored<Answer>(
      text,
      (value) => typeof value['askedAt'] === 'number' && typeof value['text'] === 'string',
    );
    return answer && anchoredAnswer(answer, this.#options.clock.now());
  }
}

/** An answer from the future was asked for before a clock was set back: nobody knows when. It is older than any other. */
export function anchoredAnswer(answer: Answer, now: number): Answer {
  return answer.askedAt <= now + TOLERANCE_MS ? answer : { ...answer, askedAt: 0 };
}
