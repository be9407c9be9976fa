import { randomUUID } from 'node:crypto';
import { MarketDataError } from '@aipx/market-model';
import type { KisAccount } from '../accounts/kis-account.js';
import { anchored } from '../attempts/attempt.js';
import type { AttemptLog } from '../attempts/attempt-log.js';
import type { Clock } from '../clock.js';
import { connectAttempt, isOpen, mayConnectAt, type ConnectAttempt, type ConnectOutcome } from './connect-policy.js';

const LOOK_AGAIN_MS = 1_000;
const LONGEST_SLEEP_MS = 60_000;

/**
 * When a key's session may be opened, told by its last attempts, which outlive the process. Whoever uses it holds the `KeyLease`, so
 * one process at a time writes.
 */
export class ConnectAttempts {
  readonly #account: KisAccount;
  readonly #log: AttemptLog;
  readonly #clock: Clock;
  readonly #process = randomUUID();
  /** For the time that the store is away. */
  #last: ConnectAttempt | undefined;

  constructor(account: KisAccount, log: AttemptLog, clock: Clock) {
    this.#account = account;
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Waits until a session may be opened, and notes that one is. Report how it ends. While the store is away the process' own memory
   * counts; without one it waits for the store.
   *
   * @throws the signal's reason
   */
  async admitted(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const waitMs = await this.#begin();
      if (waitMs === 0) return;
      await this.#clock.sleep(Math.min(waitMs, LONGEST_SLEEP_MS), signal);
    }
  }

  /** Notes how the session goes or went. Never throws: the memory of this process has it, and a store that is away gets it later. */
  async report(outcome: Exclude<ConnectOutcome, 'started'>): Promise<void> {
    this.#last = this.#after(this.#last, outcome);
    await this.#log.write('connect', this.#last).catch(onlyAway);
  }

  /** When the next session may be opened, ms since the epoch, as far as this process knows; 0 for at once. */
  get nextAt(): number {
    return mayConnectAt(this.#last, this.#account.fingerprint);
  }

  /** Returns how long to wait before it is worth asking again; 0 when the session may begin. */
  async #begin(): Promise<number> {
    try {
      this.#last = (await this.#log.read<ConnectAttempt>('connect')) ?? this.#last;
    } catch (error) {
      onlyAway(error);
      if (this.#last === undefined) return LOOK_AGAIN_MS;
    }
    const now = this.#clock.now();
    this.#last = this.#last && anchored(this.#last, now);
    await this.#endOfAnother();
    const waitMs = this.nextAt - now;
    if (waitMs > 0) return waitMs;
    this.#last = this.#after(this.#last, 'started');
    await this.#log.write('connect', this.#last).catch(onlyAway);
    return 0;
  }

  /** Whoever had the lease before has left its session as it was: KIS may hold it still, and it counts as lost now. */
  async #endOfAnother(): Promise<void> {
    if (this.#last === undefined || !isOpen(this.#last) || this.#last.by === this.#process) return;
    await this.report('lost');
  }

  #after(before: ConnectAttempt | undefined, outcome: ConnectOutcome): ConnectAttempt {
    const { fingerprint } = this.#account;
    const attempt = connectAttempt(before, outcome, fingerprint, this.#clock.now(), this.#clock.random());
    return { ...attempt, by: this.#process };
  }
}

function onlyAway(error: unknown): void {
  if (!(error instanceof MarketDataError) || error.code !== 'STORE_UNAVAILABLE') throw error;
}
