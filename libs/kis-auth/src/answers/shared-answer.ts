import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';
import type { Clock } from '../clock.js';
import { anchoredAnswer, type Answer, type AnswerPlace, type AskAttempt } from './answer-place.js';

/** How KIS is asked for what it tells everyone alike. */
export interface Question {
  /** Resolves when it can be asked: a token may be hours away. */
  readonly prepare: (signal: AbortSignal) => Promise<unknown>;
  /** @param askedAt ms since the epoch */
  readonly ask: (askedAt: number, signal: AbortSignal) => Promise<string>;
  /** How long, ms, nobody asks after this failure; a day at most. */
  readonly restMs: (failure: unknown) => number;
}

/** What became of one try. */
export interface AnswerStep {
  /** How long the next one is of no use, ms. */
  readonly waitMs: number;
  /** Why KIS has not answered this process. */
  readonly failure?: unknown;
}

export interface SharedAnswerOptions {
  /** In order: the place of all processes, and that of this machine for the time that the first is away, if it is another. */
  readonly places: readonly [AnswerPlace, AnswerPlace?];
  readonly clock: Clock;
  /** `KIS_LEASE_TTL`: nobody asks before a store is as old, for those who have the answer put it back. */
  readonly quietAfterStartMs: number;
}

/** What it takes to ask, on its way. */
interface Preparation {
  readonly since: number;
  readonly done: Promise<unknown>;
}

const ASK_EVERY_MS = 86_400_000;
/** How soon what another process was told is seen; with up to as much again. */
const LOOK_AGAIN_MS = 250;
/** So long another process' question, a place that is away, or a token is waited for closely: all end within seconds as a rule. */
const CLOSELY_MS = 60_000;
const LOOK_SELDOM_MS = 10 * 60_000;
/** So long the place of all is waited for by whoever knows nothing, before this machine's counts alone. */
const AWAY_MS = 10 * 60_000;

/**
 * What one process asks of KIS once a day on behalf of all. That it asks is written down first, with the key, so that no crash, restart or
 * neighbour asks again before a day is over. Whatever is known here goes back to a place that has lost it.
 *
 * While the place of all is away, whoever knows an answer waits for it; whoever knows none asks after ten minutes, as the only one of
 * its machine.
 */
export class SharedAnswer {
  readonly #options: SharedAnswerOptions;
  readonly #process = randomUUID();
  #known: Answer | undefined;
  #awaySince: number | undefined;
  #preparation: Preparation | undefined;

  constructor(options: SharedAnswerOptions) {
    this.#options = options;
    options.places[0].store.onReturn(() => void this.newest());
  }

  /** The newest answer that is known to this process or in a place that can be reached. Never throws. */
  async newest(): Promise<Answer | undefined> {
    const found = new Map<AnswerPlace, Answer | undefined>();
    for (const place of this.#options.places) {
      if (place !== undefined) await place.read().then((answer) => found.set(place, answer), onlyAway);
    }
    this.#known &&= anchoredAnswer(this.#known, this.#options.clock.now());
    for (const answer of found.values()) this.#compare(answer);
    for (const [place, answer] of found) await this.#putBack(place, answer);
    return this.#known;
  }

  /**
   * Takes over what others were told, or asks KIS if it is this process' turn.
   *
   * @throws the signal's reason
   */
  async step(question: Question, signal: AbortSignal): Promise<AnswerStep> {
    const [shared, machine] = this.#options.places;
    try {
      const step = await this.#stepIn(shared, question, signal);
      this.#awaySince = undefined;
      return step;
    } catch (error) {
      onlyAway(error);
    }
    const now = this.#options.clock.now();
    const awayMs = now - (this.#awaySince ??= now);
    if (this.#known !== undefined && awayMs >= CLOSELY_MS) return this.#putOff({ waitMs: LOOK_SELDOM_MS });
    if (machine === undefined || awayMs < AWAY_MS) return this.#lookAgain();
    try {
      return await this.#stepIn(machine, question, signal);
    } catch (error) {
      onlyAway(error);
      return this.#lookAgain();
    }
  }

  async #stepIn(place: AnswerPlace, question: Question, signal: AbortSignal): Promise<AnswerStep> {
    const hindrance = await this.#hindrance(place);
    if (hindrance !== undefined) return this.#putOff(hindrance);
    try {
      if (!(await this.#isPrepared(question, signal))) return this.#unprepared();
    } catch (failure) {
      signal.throwIfAborted();
      return { waitMs: LOOK_SELDOM_MS, failure };
    }
    const lock = await place.tryLock();
    if (lock === undefined) return this.#lookAgain();
    try {
      // What was read before the lock may have changed until it was had.
      return (await this.#hindrance(place)) ?? (await this.#ask(place, question, signal));
    } finally {
      await lock.release();
    }
  }

  /** What it takes goes on from one step to the next: others may be told sooner. */
  async #isPrepared(question: Question, signal: AbortSignal): Promise<boolean> {
    this.#preparation ??= { since: this.#options.clock.now(), done: question.prepare(signal) };
    try {
      const isPrepared = await Promise.race([this.#preparation.done.then(() => true), nextTurn(false)]);
      if (isPrepared) this.#preparation = undefined;
      return isPrepared;
    } catch (failure) {
      this.#preparation = undefined;
      throw failure;
    }
  }

  #unprepared(): AnswerStep {
    const now = this.#options.clock.now();
    const isLong = now - (this.#preparation?.since ?? now) >= CLOSELY_MS;
    return isLong ? { waitMs: LOOK_SELDOM_MS } : this.#lookAgain();
  }

  /** What was there to ask with, such as a token, may be gone by then. */
  #putOff(step: AnswerStep): AnswerStep {
    this.#preparation = undefined;
    return step;
  }

  /** Why this process does not ask now. */
  async #hindrance(place: AnswerPlace): Promise<AnswerStep | undefined> {
    const { clock, quietAfterStartMs } = this.#options;
    await this.newest();
    const now = clock.now();
    const freshMs = (this.#known?.askedAt ?? 0) + ASK_EVERY_MS - now;
    if (freshMs > 0) return { waitMs: Math.min(freshMs, ASK_EVERY_MS) };
    if ((await place.store.ageMs()) < quietAfterStartMs) return this.#lookAgain();
    const last = await place.attempts.read<AskAttempt>('holidays');
    if (last === undefined || last.notBefore <= now || this.#isUnasked(last)) return undefined;
    if (last.outcome === 'STARTED' && now - last.at < CLOSELY_MS) return this.#lookAgain();
    return { waitMs: Math.min(last.notBefore - now, LOOK_SELDOM_MS) };
  }

  /** Its own attempt that was written, although the store seemed to be away: nobody has asked. */
  #isUnasked({ outcome, by }: AskAttempt): boolean {
    return outcome === 'STARTED' && by === this.#process;
  }

  async #ask(place: AnswerPlace, question: Question, signal: AbortSignal): Promise<AnswerStep> {
    const { clock } = this.#options;
    const last = await place.attempts.read<AskAttempt>('holidays');
    const at = clock.now();
    const started = { at, notBefore: at + ASK_EVERY_MS, outcome: 'STARTED', by: this.#process } as const;
    // Whoever stood still until its lock was over finds another process' attempt here.
    if (!(await place.attempts.begin('holidays', last, started))) return this.#lookAgain();
    await this.#note(started);
    try {
      this.#known = { askedAt: at, text: await question.ask(at, signal) };
    } catch (failure) {
      const restMs = question.restMs(failure);
      await this.#note({ ...started, outcome: 'FAILED', notBefore: Math.min(clock.now() + restMs, started.notBefore) });
      signal.throwIfAborted();
      return { waitMs: Math.min(restMs, LOOK_SELDOM_MS), failure };
    }
    await this.newest();
    await this.#note({ ...started, outcome: 'ANSWERED' });
    return { waitMs: Math.min(Math.max(0, at + ASK_EVERY_MS - clock.now()), ASK_EVERY_MS) };
  }

  /** A place that is away gets it when it returns. */
  async #note(attempt: AskAttempt): Promise<void> {
    for (const place of this.#options.places) await place?.attempts.write('holidays', attempt).catch(onlyAway);
  }

  #compare(found: Answer | undefined): void {
    if (found !== undefined && found.askedAt > (this.#known?.askedAt ?? -1)) this.#known = found;
  }

  async #putBack(place: AnswerPlace, found: Answer | undefined): Promise<void> {
    if (this.#known !== undefined && found?.askedAt !== this.#known.askedAt)
      await place.keep(this.#known).catch(onlyAway);
  }

  #lookAgain(): AnswerStep {
    return { waitMs: LOOK_AGAIN_MS * (1 + this.#options.clock.random()) };
  }
}

function onlyAway(error: unknown): void {
  if (!(error instanceof MarketDataError) || error.code !== 'STORE_UNAVAILABLE') throw error;
}
