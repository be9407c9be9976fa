import type { MarketDataError } from '@aipx/market-model';
import type { KisAccount, KisEnvironment } from './accounts/kis-account.js';
import type { SharedAnswer } from './answers/shared-answer.js';
import type { CredentialSource } from './credentials/credential-source.js';
import type { CredentialStatistics } from './credentials/status.js';
import type { ConnectAttempts } from './sessions/connect-attempts.js';
import { KeyLease, type KeyLeaseOptions, type LeaseHindrance } from './sessions/key-lease.js';

/** What one key needs to talk to KIS. */
export interface KisKey {
  readonly account: KisAccount;
  /** Names of what this process records by it. Absent: nobody has said. */
  readonly takes: readonly string[] | undefined;
  readonly credentials: CredentialSource;
  /** When its session may be opened; used by the holder of the lease. */
  readonly connectAttempts: ConnectAttempts;
  /** What KIS says of its holidays, asked for by one process for all. */
  readonly holidays: SharedAnswer;
  /** Where it is shared with other processes does not answer. */
  readonly isStoreAway: boolean;
  /** For metrics: how things are now. */
  readonly statistics: KisKeyStatistics;
  /**
   * Waits for the right to its one session.
   *
   * @throws the signal's reason
   */
  claimLease(signal: AbortSignal): Promise<KeyLease>;
}

/** A snapshot of one key in this process; nothing secret. */
export interface KisKeyStatistics {
  /** The account's name, as the operator calls it. */
  readonly account: string;
  readonly environment: KisEnvironment;
  readonly token: CredentialStatistics;
  readonly approvalKey: CredentialStatistics;
  /** The right to the key's one session: had here, waited for, or neither. */
  readonly lease: 'held' | 'waiting' | 'none';
  /** While it is waited for: why it was not had at the last look. */
  readonly leaseHindrance: LeaseHindrance | undefined;
  /** While it is held: why it has not been renewed for half of its life. */
  readonly leaseFailure: MarketDataError | undefined;
}

/** A key of this process, with the stores through which it is shared behind its parts. */
export class SharedKey implements KisKey {
  readonly account: KisAccount;
  readonly credentials: CredentialSource;
  readonly connectAttempts: ConnectAttempts;
  readonly holidays: SharedAnswer;
  readonly #lease: KeyLeaseOptions;
  readonly #closed: AbortSignal;
  #held: KeyLease | undefined;
  #claims = 0;
  #hindrance: LeaseHindrance | undefined;

  /** @param closed ends every wait */
  constructor(
    credentials: CredentialSource,
    connectAttempts: ConnectAttempts,
    holidays: SharedAnswer,
    lease: KeyLeaseOptions,
    closed: AbortSignal,
  ) {
    this.account = lease.account;
    this.credentials = credentials;
    this.connectAttempts = connectAttempts;
    this.holidays = holidays;
    this.#lease = lease;
    this.#closed = closed;
  }

  get takes(): readonly string[] | undefined {
    return this.#lease.takes;
  }

  get isStoreAway(): boolean {
    return this.#lease.store.isAway;
  }

  get statistics(): KisKeyStatistics {
    const { name, environment } = this.account;
    const leaseHindrance = this.#claims > 0 ? this.#hindrance : undefined;
    const leaseFailure = this.#held?.renewalFailure;
    const lease = this.#leaseState();
    return { account: name, environment, ...this.credentials.statistics, lease, leaseHindrance, leaseFailure };
  }

  async claimLease(signal: AbortSignal): Promise<KeyLease> {
    this.#claims += 1;
    this.#hindrance = undefined;
    try {
      this.#held = await KeyLease.claim(this.#lease, AbortSignal.any([signal, this.#closed]), (hindrance) => {
        this.#hindrance = hindrance;
      });
      return this.#held;
    } finally {
      this.#claims -= 1;
    }
  }

  #leaseState(): KisKeyStatistics['lease'] {
    if (this.#held?.isHeld === true) return 'held';
    return this.#claims > 0 ? 'waiting' : 'none';
  }
}
