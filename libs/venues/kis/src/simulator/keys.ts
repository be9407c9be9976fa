import { randomBytes, randomUUID } from 'node:crypto';
import type { Behaviour } from './behaviour.js';
import type { SimulatedClock } from './clock.js';
import type { Account } from './settings.js';

const MINUTE_MS = 60_000;
const SAME_TOKEN_MS = 6 * 3_600_000;
const LIFETIME_MS = 24 * 3_600_000;

/** What an appkey has asked for and got. */
export interface KeyUsage {
  /** Token requests that were answered with a token, each of them a message to the owner's telephone. */
  readonly tokens: number;
  /** Those among them that made a new token. */
  readonly newTokens: number;
  readonly refusedTokens: number;
  readonly revocations: number;
  readonly approvalKeys: number;
  /** Questions for the calendar of trading days, which must not be polled. */
  readonly calendarCalls: number;
}

export interface Token {
  readonly value: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

interface IssuedToken extends Token {
  readonly appkey: string;
  state: 'valid' | 'expired' | 'revoked';
}

interface Approval {
  readonly appkey: string;
  readonly expiresAt: number;
}

const UNUSED: KeyUsage = {
  tokens: 0,
  newTokens: 0,
  refusedTokens: 0,
  revocations: 0,
  approvalKeys: 0,
  calendarCalls: 0,
};

export interface KeysOptions {
  readonly clock: SimulatedClock;
  readonly behaviour: Behaviour;
  readonly accounts: readonly Account[] | undefined;
  readonly newApprovalRevokesOld: boolean;
}

/** The customers' keys, and the tokens and approval keys they were given. Times are the simulated clock's. */
export class Keys {
  readonly #options: KeysOptions;
  readonly #secrets: ReadonlyMap<string, string> | undefined;
  readonly #tokens = new Map<string, IssuedToken>();
  readonly #approvals = new Map<string, Approval>();
  readonly #current = new Map<string, IssuedToken>();
  readonly #lastIssue = new Map<string, number>();
  readonly #usage = new Map<string, KeyUsage>();

  constructor(options: KeysOptions) {
    this.#options = options;
    const { accounts } = options;
    this.#secrets = accounts && new Map(accounts.map(({ appkey, appsecret }) => [appkey, appsecret]));
  }

  /** The error code of a key pair that is not a customer's. */
  refusal(appkey: unknown, secret: unknown): string | undefined {
    if (typeof appkey !== 'string' || appkey === '') return 'EGW00102';
    if (this.#options.behaviour.refusesKeys || this.#secrets?.has(appkey) === false) return 'EGW00103';
    if (typeof secret !== 'string' || secret === '') return 'EGW00104';
    return this.#secrets !== undefined && this.#secrets.get(appkey) !== secret ? 'EGW00105' : undefined;
  }

  /** The token of an appkey; the same one for six hours. `undefined`: asked for a second time within a minute. */
  token(appkey: string): Token | undefined {
    const { clock, behaviour } = this.#options;
    const { now } = clock;
    const last = this.#lastIssue.get(appkey);
    if (behaviour.limitsTokens || (last !== undefined && now - last < MINUTE_MS)) {
      this.count(appkey, 'refusedTokens');
      return undefined;
    }
    this.#lastIssue.set(appkey, now);
    this.count(appkey, 'tokens');
    const current = this.#current.get(appkey);
    return current?.state === 'valid' && now - current.issuedAt < SAME_TOKEN_MS ? current : this.#newToken(appkey, now);
  }

  /** False when there is no such token. */
  revoke(appkey: string, value: unknown): boolean {
    const token = typeof value === 'string' ? this.#tokens.get(value) : undefined;
    if (token?.appkey !== appkey) return false;
    token.state = 'revoked';
    this.count(appkey, 'revocations');
    return true;
  }

  /** The error code of a token that opens nothing. */
  tokenRefusal(appkey: string, value: string): string | undefined {
    const token = this.#tokens.get(value);
    if (token?.appkey !== appkey || token.state === 'revoked') return 'EGW00121';
    return token.state === 'expired' || token.expiresAt <= this.#options.clock.now ? 'EGW00123' : undefined;
  }

  approvalKey(appkey: string): string {
    if (this.#options.newApprovalRevokesOld) {
      for (const [key, approval] of this.#approvals) if (approval.appkey === appkey) this.#approvals.delete(key);
    }
    const key = randomUUID();
    this.#approvals.set(key, { appkey, expiresAt: this.#options.clock.now + LIFETIME_MS });
    this.count(appkey, 'approvalKeys');
    return key;
  }

  /** Whose approval key it is; `undefined`: nobody's any more. */
  appkeyOf(approvalKey: string): string | undefined {
    const approval = this.#approvals.get(approvalKey);
    return approval !== undefined && approval.expiresAt > this.#options.clock.now ? approval.appkey : undefined;
  }

  /** All tokens of this moment end. */
  endTokens(how: 'expired' | 'revoked'): void {
    for (const token of this.#tokens.values()) token.state = how;
  }

  /** All approval keys of this moment open no session any more. */
  rejectApprovalKeys(): void {
    this.#approvals.clear();
  }

  /** One more of something that an appkey has asked for. */
  count(appkey: string, what: keyof KeyUsage): void {
    const usage = this.usage(appkey);
    this.#usage.set(appkey, { ...usage, [what]: usage[what] + 1 });
  }

  usage(appkey: string): KeyUsage {
    return this.#usage.get(appkey) ?? UNUSED;
  }

  #newToken(appkey: string, now: number): Token {
    const parts = [27, 120, 32].map((bytes) => randomBytes(bytes).toString('base64url'));
    const token: IssuedToken = {
      value: `eyJ${parts.join('.')}`,
      appkey,
      issuedAt: now,
      expiresAt: now + LIFETIME_MS,
      state: 'valid',
    };
    this.#tokens.set(token.value, token);
    this.#current.set(appkey, token);
    this.count(appkey, 'newTokens');
    return token;
  }
}
