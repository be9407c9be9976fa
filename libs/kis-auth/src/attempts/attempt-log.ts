import { MarketDataError } from '@aipx/market-model';
import type { Clock } from '../clock.js';
import { parseStored } from '../stores/stored-json.js';
import type { SharedStore } from '../stores/shared-store.js';
import { anchored, type Attempt } from './attempt.js';

/** What was tried: to issue a token, to issue an approval key, to open a session, to ask for the holidays. */
export type AttemptKind = (typeof KINDS)[number];

const KINDS = ['token', 'approval', 'connect', 'holidays'] as const;

type Attempts = Partial<Record<AttemptKind, Attempt>>;

/** The longest that an attempt matters is a day. */
const TTL_MS = 25 * 3_600_000;
const SWAP_TRIES = 20;

/**
 * The last attempts of a key, one of each kind under one name, in the store that outlives the process. What this process wrote, or
 * could not write because the store was away, is put back when it returns. Calls take effect in their order.
 */
export class AttemptLog {
  readonly #store: SharedStore;
  readonly #name: string;
  readonly #clock: Pick<Clock, 'now'>;
  #own: Attempts = {};
  /** Of the own ones, what the store may not have. */
  readonly #unwritten = new Set<AttemptKind>();
  #turn: Promise<unknown> = Promise.resolve();

  /** @param name `kis:attempt:{environment}:{key hash}` */
  constructor(store: SharedStore, name: string, clock: Pick<Clock, 'now'>) {
    this.#store = store;
    this.#name = name;
    this.#clock = clock;
  }

  /** @throws {MarketDataError} `STORE_UNAVAILABLE` */
  async read<T extends Attempt>(kind: AttemptKind): Promise<T | undefined> {
    const all = await this.#change((stored) => newest(stored, this.#own, this.#unwritten));
    return all?.[kind] as T | undefined;
  }

  /**
   * Replaces the last attempt of this kind and leaves the others.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`
   */
  async write(kind: AttemptKind, attempt: Attempt): Promise<void> {
    this.#own[kind] = attempt;
    this.#unwritten.add(kind);
    await this.#change((stored) => ({ ...newest(stored, this.#own, this.#unwritten), [kind]: attempt }));
  }

  /**
   * The same, if the last attempt is still the one that was read: whoever stood still meanwhile must look again.
   *
   * @returns whether it stands there
   * @throws {MarketDataError} `STORE_UNAVAILABLE`
   */
  async begin(kind: AttemptKind, last: Attempt | undefined, attempt: Attempt): Promise<boolean> {
    const written = await this.#change((stored) =>
      JSON.stringify(stored[kind]) === JSON.stringify(last) ? { ...stored, [kind]: attempt } : undefined,
    );
    if (written !== undefined) this.#own[kind] = attempt;
    return written !== undefined;
  }

  /**
   * Writes what this process knows and the store does not.
   *
   * @throws {MarketDataError} `STORE_UNAVAILABLE`
   */
  async putBack(): Promise<void> {
    await this.#change((stored) => newest(stored, this.#own, KINDS));
  }

  /** @param next what shall stand there; `undefined`: leave it. Returns what stands there then. */
  #change(next: (stored: Attempts) => Attempts | undefined): Promise<Attempts | undefined> {
    const changed = this.#turn.then(() => this.#changeInTurn(next));
    this.#turn = changed.catch(() => undefined);
    return changed;
  }

  async #changeInTurn(next: (stored: Attempts) => Attempts | undefined): Promise<Attempts | undefined> {
    for (let tries = 0; tries < SWAP_TRIES; tries += 1) {
      const before = await this.#store.read(this.#name);
      const stored = parse(before);
      const now = this.#clock.now();
      this.#own = allAnchored(this.#own, now);
      const wanted = next(allAnchored(stored, now));
      if (wanted === undefined) return undefined;
      if (await this.#isWritten(before, stored, wanted)) return wanted;
    }
    throw new MarketDataError('STORE_UNAVAILABLE', `${this.#store.place}: ${this.#name} changes all the time`, {
      context: { name: this.#name },
      retryable: true,
    });
  }

  async #isWritten(before: string | undefined, stored: Attempts, wanted: Attempts): Promise<boolean> {
    const value = JSON.stringify(wanted);
    const isThere = value === JSON.stringify(stored);
    if (!isThere && !(await this.#store.swap(this.#name, before, { value, ttlMs: TTL_MS }))) return false;
    for (const kind of this.#unwritten) if (wanted[kind] === this.#own[kind]) this.#unwritten.delete(kind);
    return true;
  }
}

/** What is stored, with those of the own attempts of these kinds that are not older. */
function newest(stored: Attempts, own: Attempts, kinds: Iterable<AttemptKind>): Attempts {
  const newer = [...kinds].filter((kind) => (own[kind]?.at ?? Number.NEGATIVE_INFINITY) >= (stored[kind]?.at ?? 0));
  return { ...stored, ...Object.fromEntries(newer.map((kind) => [kind, own[kind]])) };
}

function allAnchored(attempts: Attempts, now: number): Attempts {
  return Object.fromEntries(
    KINDS.flatMap((kind) => {
      const attempt = attempts[kind];
      return attempt === undefined ? [] : [[kind, anchored(attempt, now)]];
    }),
  );
}

/** What else stands there was not written here. */
function parse(text: string | undefined): Attempts {
  const stored = parseStored<Record<string, Partial<Attempt> | null | undefined>>(text, () => true) ?? {};
  const attempts = KINDS.filter((kind) => {
    const attempt = stored[kind];
    return typeof attempt?.at === 'number' && typeof attempt.notBefore === 'number';
  });
  return Object.fromEntries(attempts.map((kind) => [kind, stored[kind]]));
}
