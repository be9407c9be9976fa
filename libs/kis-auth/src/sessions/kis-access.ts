import type { MarketDataError } from '@aipx/market-model';
import type { ConnectionAccess, ConnectionPass } from '@aipx/venue';
import type { Clock } from '../clock.js';
import type { KisKey } from '../kis-auth.js';
import type { ConnectOutcome } from './connect-policy.js';
import type { KeyLease } from './key-lease.js';

/** An approval key younger than this was issued for the try that was refused. */
const FRESH_FOR_MS = 10 * 60_000;

/**
 * Leave to open the one session of a key: the lease, an approval key, and the wait that the last attempts ask for, in that order.
 * The lease is kept from one session to the next, and given back when the connection is closed as we wanted.
 */
export class KisAccess implements ConnectionAccess {
  readonly #key: KisKey;
  readonly #clock: Clock;
  #lease: KeyLease | undefined;

  constructor(key: KisKey, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /** @throws {MarketDataError} `CONFIG_ACCOUNT` when KIS refuses the key for good, or the signal's reason */
  async enter(signal: AbortSignal): Promise<ConnectionPass> {
    const { credentials, connectAttempts } = this.#key;
    const lease = await this.#heldLease(signal);
    try {
      const secret = await credentials.approvalKey(signal);
      await connectAttempts.admitted(signal);
      return this.#pass(secret, lease);
    } catch (cause) {
      await this.#release();
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
        if (!isConfirmed) void connectAttempts.report('confirmed');
        isConfirmed = true;
      },
      left: (error) => void this.#left(error, secret),
    };
  }

  async #left(error: MarketDataError | undefined, secret: string): Promise<void> {
    const { connectAttempts, credentials } = this.#key;
    const outcome = error === undefined ? 'closed' : this.#outcomeOf(error);
    if (outcome === 'approval-refused' || outcome === 'fresh-approval-refused')
      credentials.invalidateApprovalKey(secret);
    await connectAttempts.report(outcome);
    if (error === undefined) await this.#release();
  }

  /** The venue's driver says in the context of a refusal what is to be done about it. */
  #outcomeOf({ context: { action } }: MarketDataError): Exclude<ConnectOutcome, 'started'> {
    if (action === 'already-in-use') return 'in-use';
    if (action === 'new-approval-key') return this.#isFresh() ? 'fresh-approval-refused' : 'approval-refused';
    return action === 'fatal' ? 'key-refused' : 'lost';
  }

  #isFresh(): boolean {
    const { issuedAt } = this.#key.credentials.status.approvalKey;
    return issuedAt !== undefined && this.#clock.now() - issuedAt < FRESH_FOR_MS;
  }

  async #release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.release();
  }
}
