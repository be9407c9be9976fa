import { MarketDataError } from '@aipx/market-model';
import type { KisAccount } from '../accounts/kis-account.js';
import { untilAborted } from '../abortable.js';
import type { AttemptLog } from '../attempts/attempt-log.js';
import type { Clock } from '../clock.js';
import type { Issued } from '../oauth/oauth-client.js';
import { refusalOf } from '../oauth/refusal.js';
import type { KisStores } from '../stores/kis-stores.js';
import { tryLock } from '../stores/lock.js';
import { storedName } from '../stores/names.js';
import { isValid, keptUntil, parseCredential, type Credential, type CredentialKind } from './credential.js';
import {
  attemptFailed,
  attemptIssued,
  attemptStarted,
  finalRefusal,
  mayIssueAt,
  type IssueAttempt,
} from './issue-policy.js';
import { countedAs, emptyStatus, type CredentialStatus } from './status.js';

export interface SharedCredentialOptions {
  readonly kind: CredentialKind;
  readonly account: KisAccount;
  /** Of the server that issues. Absent: KIS'. */
  readonly url?: string | undefined;
  readonly issue: (signal: AbortSignal) => Promise<Issued>;
  readonly stores: KisStores;
  readonly attempts: AttemptLog;
  readonly clock: Clock;
  /** `KIS_TOKEN_REFRESH_BEFORE` */
  readonly refreshBeforeMs: number;
  /** `KIS_TOKEN_CACHE_TTL`: none is used longer, whatever KIS says. */
  readonly cacheTtlMs: number;
  /** `KIS_LEASE_TTL`: nobody issues before a store is as old. */
  readonly quietAfterStartMs: number;
  /** Told of every value that is held. */
  readonly keepSecret?: ((secret: string) => void) | undefined;
  /** Ends everything. */
  readonly signal: AbortSignal;
}

/** Longer than a request to KIS and the steps around it: the lock must not end before its holder. */
const LOCK_TTL_MS = 60_000;
/** How soon what another process got is seen; with up to as much again, so that not all look together. */
const LOOK_AGAIN_MS = 250;
const LONGEST_SLEEP_MS = 60_000;

/** What stands between a step and a fresh credential: how long to wait, and for what. */
interface Obstacle {
  readonly waitMs: number;
  readonly reason: string;
}

/** One token or approval key that all processes of a key share: whoever needs it first, issues it for all. */
export class SharedCredential {
  readonly status: CredentialStatus = emptyStatus();
  readonly #options: SharedCredentialOptions;
  readonly #name: string;
  readonly #lockName: string;
  readonly #endReturns: () => void;
  /** Spreads the processes: each begins its refresh at a time of its own. */
  readonly #refreshBeforeMs: number;
  #held: Credential | undefined;
  /** The held one was issued here, and the store has not taken it yet. */
  #isUnshared = false;
  #refused: string | undefined;
  #renewal: Promise<void> | undefined;

  constructor(options: SharedCredentialOptions) {
    this.#options = options;
    this.#name = storedName(options.kind, options.account, options.url);
    this.#lockName = storedName('lock', options.account, options.url);
    this.#refreshBeforeMs = options.refreshBeforeMs * (1 + options.clock.random() / 5);
    this.#endReturns = options.stores.credentials.onReturn(() => void this.#putBack());
    options.signal.addEventListener('abort', this.#endReturns, { once: true });
  }

  /**
   * The value that is held, or the shared one, or a new one. Waits for whatever passes by itself: another process' issue, KIS'
   * limits, a store that is away.
   *
   * @throws {MarketDataError} `CONFIG_ACCOUNT` when KIS refuses the key for good
   * @throws the signal's reason
   */
  async get(signal: AbortSignal): Promise<string> {
    for (;;) {
      signal.throwIfAborted();
      const held = this.#held;
      if (held !== undefined && this.#isUsable(held)) {
        // In time for the refresh nobody waits for it; should it fail, the next caller begins it again.
        if (this.#isDue(held) || this.#isUnshared) this.#renew().catch(() => undefined);
        return held.value;
      }
      await untilAborted(this.#renew(), signal);
    }
  }

  /** KIS refused this value: the next `get` gives another one, if there can be one. */
  invalidate(value: string): void {
    // A caller may come late with one that was replaced long ago.
    if (value === this.#held?.value) this.#refused = value;
  }

  /** When this value was issued, if it is the one that is held. */
  issuedAt(value: string): number | undefined {
    return value === this.#held?.value ? this.#held.issuedAt : undefined;
  }

  /** One at a time in this process. */
  #renew(): Promise<void> {
    this.#renewal ??= this.#pickUpOrIssue().finally(() => {
      this.#renewal = undefined;
      this.status.waitingFor = undefined;
    });
    return this.#renewal;
  }

  async #pickUpOrIssue(): Promise<void> {
    const { clock, signal } = this.#options;
    for (;;) {
      const obstacle = await this.#step().catch((error: unknown) => this.#obstacleOf(error));
      if (obstacle === undefined) return;
      if (this.status.waitingFor === undefined) this.status.waits += 1;
      this.status.waitingFor = obstacle.reason;
      await clock.sleep(Math.min(obstacle.waitMs, LONGEST_SLEEP_MS), signal);
    }
  }

  /** One try. `undefined`: a usable one is held that needs no renewal now. */
  async #step(): Promise<Obstacle | undefined> {
    const { attempts, kind, stores } = this.#options;
    if (await this.#pickUp()) return undefined;
    const obstacle = (await this.#young()) ?? this.#tooSoon(await attempts.read(kind));
    if (obstacle !== undefined) return obstacle;
    const lock = await tryLock(stores.locks, this.#lockName, LOCK_TTL_MS);
    if (lock === undefined) return this.#lookAgain('another process issues one');
    try {
      // What was read before the lock may have changed until it was had.
      if (await this.#pickUp()) return undefined;
      const last = await attempts.read<IssueAttempt>(kind);
      return (await this.#young()) ?? this.#tooSoon(last) ?? (await this.#issue(last));
    } finally {
      await lock.release();
    }
  }

  /** Takes over what others share. Returns whether that needs no renewal. */
  async #pickUp(): Promise<boolean> {
    const before = await this.#options.stores.credentials.read(this.#name);
    const shared = parseCredential(before);
    if (shared === undefined || !this.#isUsable(shared) || this.#isOlder(shared)) return await this.#shareHeld(before);
    this.#hold(shared);
    this.#isUnshared = false;
    return !this.#isDue(shared);
  }

  /** Gives what is held to a store that has none, or an older one. Returns whether that makes an issue needless. */
  async #shareHeld(before: string | undefined): Promise<boolean> {
    const held = this.#held;
    if (held === undefined || !this.#isUsable(held)) return false;
    if (!(await this.#share(before, held))) return false;
    return !this.#isDue(held);
  }

  async #young(): Promise<Obstacle | undefined> {
    const { coordination } = this.#options.stores;
    if ((await coordination.ageMs()) >= this.#options.quietAfterStartMs) return undefined;
    return this.#lookAgain(`${coordination.place} began a moment ago; holders put back what they have first`);
  }

  /** Why KIS may not be asked yet. */
  #tooSoon(last: IssueAttempt | undefined): Obstacle | undefined {
    const { account, clock, kind } = this.#options;
    const now = clock.now();
    const code = finalRefusal(last, account.fingerprint, now);
    if (code !== undefined) throw refusalOf(account, PATHS[kind], code, '');
    const mayIssue = mayIssueAt(kind, last, account.fingerprint);
    const waitMs = mayIssue - now;
    if (waitMs <= 0) {
      // What this process has not waited over is no fault any more; what it has is one until KIS says otherwise.
      if (this.status.failure !== last?.reason) this.status.failure = undefined;
      return undefined;
    }
    if (last?.reason !== undefined && last.fingerprint === account.fingerprint) this.status.failure = last.reason;
    // Others may have it sooner than we may ask. By the clock: the reason stays the same while it is waited for.
    const soon = this.#lookAgain(`KIS is asked again at ${new Date(mayIssue).toISOString()} (last: ${last?.outcome})`);
    if (last?.outcome === 'STARTED') return soon;
    return { ...soon, waitMs: Math.min(waitMs, Math.max(soon.waitMs, waitMs / 4)) };
  }

  async #issue(last: IssueAttempt | undefined): Promise<Obstacle | undefined> {
    const { account, attempts, clock, kind, stores } = this.#options;
    const before = await stores.credentials.read(this.#name);
    const started = attemptStarted(kind, last, account.fingerprint, clock.now(), clock.random());
    // Whoever stood still until its lock was over finds another process' attempt here.
    if (!(await attempts.begin(kind, last, started))) return this.#lookAgain('another process asks KIS');
    let credential: Credential;
    try {
      credential = await this.#ask(parseCredential(before));
    } catch (error) {
      return await this.#failed(started, error);
    }
    try {
      await attempts.write(kind, attemptIssued(kind, started, clock.now(), clock.random()));
      if (await this.#share(before, credential)) return undefined;
    } catch (error) {
      // It is held; the store gets it when it is there again.
      this.#obstacleOf(error);
      return undefined;
    }
    return this.#lookAgain('another process has shared one meanwhile');
  }

  /** @throws what no waiting mends */
  async #failed(started: IssueAttempt, error: unknown): Promise<Obstacle> {
    const { attempts, clock, kind, signal } = this.#options;
    signal.throwIfAborted();
    this.#count(error);
    const failed = attemptFailed(kind, started, error, clock.now(), clock.random());
    // A store that is away gets it later, and what KIS said is not forgotten over it.
    await attempts.write(kind, failed).catch(() => undefined);
    if (!(error instanceof MarketDataError) || !error.retryable) throw error;
    return this.#tooSoon(failed) ?? this.#lookAgain(error.message);
  }

  /** From here on it is held, whatever becomes of the store. */
  async #ask(before: Credential | undefined): Promise<Credential> {
    const { cacheTtlMs, clock, issue, kind, signal } = this.#options;
    const isRefresh = this.#held !== undefined && isValid(this.#held, clock.now());
    const issued = await issue(signal);
    const now = clock.now();
    const refused = this.#refused;
    const isReplacement = refused !== undefined && (before?.value === refused || issued.value === refused);
    const credential: Credential = {
      ...issued,
      expiresAt: Math.min(issued.expiresAt, now + cacheTtlMs),
      replacementAt: isReplacement ? now : null,
    };
    if (this.#isDue(credential)) throw endsTooSoon(kind, credential, now);
    this.status.issues += 1;
    if (isRefresh) this.status.refreshes += 1;
    this.#hold(credential);
    this.#isUnshared = true;
    return credential;
  }

  async #share(before: string | undefined, credential: Credential): Promise<boolean> {
    const ttlMs = credential.expiresAt - this.#options.clock.now();
    const value = JSON.stringify(credential);
    const isShared = await this.#options.stores.credentials.swap(this.#name, before, { value, ttlMs });
    this.#isUnshared = false;
    return isShared;
  }

  async #putBack(): Promise<void> {
    try {
      const before = await this.#options.stores.credentials.read(this.#name);
      const shared = parseCredential(before);
      if (shared === undefined || this.#isOlder(shared)) await this.#shareHeld(before);
    } catch {
      // Away again: its next return calls again.
    }
  }

  #obstacleOf(error: unknown): Obstacle {
    this.#options.signal.throwIfAborted();
    if (!(error instanceof MarketDataError) || !error.retryable) throw error;
    // A store that stays away is one error, however often it is looked for.
    if (error.code === 'STORE_UNAVAILABLE' && this.status.waitingFor !== error.message) this.#count(error);
    return this.#lookAgain(error.message);
  }

  #count(error: unknown): void {
    const name = countedAs(error);
    this.status.errors[name] = (this.status.errors[name] ?? 0) + 1;
  }

  #lookAgain(reason: string): Obstacle {
    return { waitMs: LOOK_AGAIN_MS * (1 + this.#options.clock.random()), reason };
  }

  #hold(credential: Credential): void {
    if (credential.value !== this.#held?.value) this.#options.keepSecret?.(credential.value);
    this.#held = credential;
    this.status.failure = undefined;
    this.status.issuedAt = credential.issuedAt;
    this.status.expiresAt = credential.expiresAt;
  }

  #isUsable(credential: Credential): boolean {
    const now = this.#options.clock.now();
    if (!isValid(credential, now)) return false;
    return credential.value !== this.#refused || now < keptUntil(this.#options.kind, credential);
  }

  /** The held one was issued after it, and the store was away then. */
  #isOlder(shared: Credential): boolean {
    const held = this.#held;
    return this.#isUnshared && held !== undefined && this.#isUsable(held) && shared.expiresAt < held.expiresAt;
  }

  #isDue({ expiresAt }: Credential): boolean {
    return this.#options.clock.now() >= expiresAt - this.#refreshBeforeMs;
  }
}

const PATHS: Readonly<Record<CredentialKind, string>> = { token: '/oauth2/tokenP', approval: '/oauth2/Approval' };

function endsTooSoon(kind: CredentialKind, { expiresAt }: Credential, now: number): MarketDataError {
  const [end, here] = [expiresAt, now].map((time) => new Date(time).toISOString());
  return new MarketDataError(
    'CONNECTION_FAILED',
    `KIS issued a credential (${kind}) that ends at ${end}, while it is ${here} here; is this machine's clock right?`,
    { context: { kind }, retryable: true },
  );
}
