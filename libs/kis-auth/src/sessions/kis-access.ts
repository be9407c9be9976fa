import type { MarketDataError } from '@aipx/market-model';
import type { ConnectionAccess, ConnectionPass } from '@aipx/venue';
import type { KisAccount } from '../accounts/kis-account.js';
import type { Clock } from '../clock.js';
import type { KisKey } from '../kis-key.js';
import type { ConnectOutcome } from './connect-policy.js';
import type { KeyLease } from './key-lease.js';

/** An approval key younger than this was issued for the try that was refused. */
const FRESH_FOR_MS = 10 * 60_000;

/** The key's one session is another process'; KIS has yet to issue a key, or the store to be there; the last attempts are too near. */
export type KisAccessWait = 'lease' | 'approval-key' | 'turn';

/**
 * Leave to open the one session of a key: the lease, an approval key, and the wait that the last attempts ask for, in that order.
 * The lease is kept from one session to the next, and given back when the connection has ended and no other is to follow it.
 */
export class KisAccess implements ConnectionAccess {
  readonly #key: KisKey;
  readonly #clock: Clock;
  #lease: KeyLease | undefined;
  #waitingFor: KisAccessWait | undefined;
  /** The end of what was begun: a `close` must not overtake it. */
  #entering: Promise<unknown> = Promise.resolve();
  #leaving: Promise<unknown> = Promise.resolve();

  constructor(key: KisKey, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  get account(): KisAccount {
    return this.#key.account;
  }

  /** What `enter` waits for now; `undefined` while nobody asks for leave. */
  get waitingFor(): KisAccessWait | undefined {
    return this.#waitingFor;
  }

  /** Only behind a holder that was seen: a store that takes no claim leaves the key to nobody. */
  get isStandingBy(): boolean {
    const { isStoreAway, statistics } = this.#key;
    return this.#waitingFor === 'lease' && !isStoreAway && statistics.leaseHindrance?.kind === 'held';
  }

  /** @throws {MarketDataError} `CONFIG_ACCOUNT` when KIS refuses the key for good, or the signal's reason */
  enter(signal: AbortSignal): Promise<ConnectionPass> {
    // One that is being given up may have the lease still, and gives it back.
    const entering = this.#entering
      .then(() => this.#enter(signal))
      .finally(() => {
        this.#waitingFor = undefined;
      });
    this.#entering = entering.catch(() => undefined);
    return entering;
  }

  /** Gives the lease back when the end of the session is written down. End the session, or the wait for it, first. Never throws. */
  async close(): Promise<void> {
    await this.#entering;
    await this.#leaving;
    await this.#release();
  }

  async #enter(signal: AbortSignal): Promise<ConnectionPass> {
    // The end of the last session may give the lease back yet.
    await this.#leaving;
    for (;;) {
      this.#waitingFor = 'lease';
      const lease = await this.#heldLease(signal);
      try {
        return await this.#admitted(lease, AbortSignal.any([signal, lease.lost]));
      } catch (cause) {
        await this.#release();
        if (signal.aborted || !lease.lost.aborted) throw cause;
      }
    }
  }

  async #admitted(lease: KeyLease, signal: AbortSignal): Promise<ConnectionPass> {
    const { credentials, connectAttempts } = this.#key;
    this.#waitingFor = 'approval-key';
    await credentials.approvalKey(signal);
    this.#waitingFor = 'turn';
    await connectAttempts.admitted(signal);
    this.#waitingFor = 'approval-key';
    try {
      // The turn may have been an hour away, and the key had another end.
      return this.#pass(await credentials.approvalKey(signal), lease);
    } catch (cause) {
      if (!lease.lost.aborted) await connectAttempts.report('closed');
      throw cause;
    }
  }

  async #heldLease(signal: AbortSignal): Promise<KeyLease> {
    if (this.#lease?.lost.aborted) await this.#release();
    return (this.#lease ??= await this.#key.claimLease(signal));
  }

  #pass(secret: string, lease: KeyLease): ConnectionPass {
    const { connectAttempts } = this.#key;
    let isConfirmed = false;
    return {
      secret,
      lost: lease.lost,
      confirmed: () => {
        if (!isConfirmed && !lease.lost.aborted) void connectAttempts.report('confirmed');
        isConfirmed = true;
      },
      left: (error, isLast) => {
        this.#leaving = this.#left(error, secret, lease).then(() => (isLast ? this.#release() : undefined));
      },
    };
  }

  async #left(error: MarketDataError | undefined, secret: string, lease: KeyLease): Promise<void> {
    const { connectAttempts, credentials } = this.#key;
    const outcome = error === undefined ? 'closed' : this.#outcomeOf(error, secret);
    if (outcome === 'approval-refused' || outcome === 'fresh-approval-refused')
      credentials.invalidateApprovalKey(secret);
    // The attempts are the new holder's from then on.
    if (!lease.lost.aborted) await connectAttempts.report(outcome);
  }

  /** The venue's driver says in the context of a refusal what is to be done about it. */
  #outcomeOf({ context: { action } }: MarketDataError, secret: string): Exclude<ConnectOutcome, 'started'> {
    if (action === 'already-in-use') return 'in-use';
    if (action === 'new-approval-key') return this.#isFresh(secret) ? 'fresh-approval-refused' : 'approval-refused';
    return action === 'fatal' ? 'key-refused' : 'lost';
  }

  #isFresh(secret: string): boolean {
    const issuedAt = this.#key.credentials.approvalKeyIssuedAt(secret);
    return issuedAt !== undefined && this.#clock.now() - issuedAt < FRESH_FOR_MS;
  }

  async #release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.release();
  }
}
