import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { Redis } from 'ioredis';
import type { Entry, SharedStore } from './shared-store.js';

export interface RedisSettings {
  readonly host: string;
  readonly port: number;
  readonly password?: string | undefined;
}

const COMMAND_TIMEOUT_MS = 2_000;
const SILENCE_MS = 2 * COMMAND_TIMEOUT_MS;
const RECONNECT_FLOOR_MS = 100;
const RECONNECT_CAP_MS = 1_000;

/** ARGV: expected or nothing, next or nothing, each after a 1 or 0 that says which; then the time to live. */
const SWAP = `
local current = redis.call('GET', KEYS[1])
local function stands(given, text) if given == '1' then return current == text end return not current end
if not (stands(ARGV[1], ARGV[2]) or stands(ARGV[3], ARGV[4])) then return 0 end
if ARGV[3] == '1' then redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5]) else redis.call('DEL', KEYS[1]) end
return 1`;

/**
 * The store of several machines. It connects in the background and again whenever the connection is lost; until then every
 * call fails at once. Needs Redis 6 or later.
 */
export class RedisStore implements SharedStore {
  readonly place: string;
  readonly #redis: Redis;
  readonly #listeners = new Set<() => void>();
  #lastError: unknown;
  #isCutOff = false;
  /** When it answered again after it had not, by the process' own clock. */
  #answersSince = Number.NEGATIVE_INFINITY;

  constructor({ host, port, password }: RedisSettings) {
    this.place = `Redis at ${host}:${port}`;
    this.#redis = new Redis({
      host,
      port,
      ...(password !== undefined && { password }),
      // A call that waits unseen for a connection could take effect long after its caller gave up.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: COMMAND_TIMEOUT_MS,
      // Of a host that vanished nobody hears: without an answer the connection is given up, and another one tried.
      socketTimeout: SILENCE_MS,
      // The server we reach has become a replica: the name may lead to the new primary by now.
      reconnectOnError: (error) => error.message.includes('READONLY'),
      retryStrategy: (times) => Math.min(RECONNECT_CAP_MS, RECONNECT_FLOOR_MS * 2 ** Math.min(times, 10)),
    });
    this.#redis.on('error', (error: unknown) => {
      this.#lastError = error;
    });
    this.#redis.on('close', () => {
      this.#isCutOff = true;
    });
    this.#redis.on('ready', () => {
      for (const listener of this.#listeners) listener();
    });
  }

  get isAway(): boolean {
    return this.#redis.status !== 'ready';
  }

  async read(name: string): Promise<string | undefined> {
    return (await this.#ask(() => this.#redis.get(name))) ?? undefined;
  }

  async swap(name: string, expected: string | undefined, next: Entry | undefined): Promise<boolean> {
    const given = [...optional(expected), ...optional(next?.value), String(Math.ceil(next?.ttlMs ?? 0))];
    return (await this.#ask(() => this.#redis.eval(SWAP, 1, name, ...given))) === 1;
  }

  async ageMs(): Promise<number> {
    const info = await this.#ask(() => this.#redis.info('server'));
    const uptimeMs = Number(/^uptime_in_seconds:(\d+)/m.exec(info)?.[1] ?? 0) * 1_000;
    return Math.min(uptimeMs, performance.now() - this.#answersSince);
  }

  onReturn(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#listeners.clear();
    this.#redis.disconnect();
    return Promise.resolve();
  }

  async #ask<T>(command: () => Promise<T>): Promise<T> {
    try {
      const answer = await command();
      if (this.#isCutOff) this.#answersSince = performance.now();
      this.#isCutOff = false;
      return answer;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): MarketDataError {
    const isConnected = this.#redis.status === 'ready';
    const refusal = error instanceof Error && error.name === 'ReplyError' ? error.message : undefined;
    if (isConnected && refusal === undefined) this.#isCutOff = true;
    // Without a connection the call itself says little: why there is none says more.
    const why = isConnected ? error : (this.#lastError ?? error);
    // The client's own errors carry the command that failed, with the token in it.
    const cause = new Error(asMarketDataError(why, 'STORE_UNAVAILABLE').message);
    const problem = refusal === undefined ? 'does not answer' : `refuses: ${withoutValues(refusal)}`;
    return new MarketDataError('STORE_UNAVAILABLE', `${this.place} ${problem}`, {
      context: { place: this.place },
      cause,
      retryable: true,
    });
  }
}

/** Without the values that Redis repeats of a command it does not know, and without the place in a script. */
function withoutValues(message: string): string {
  return message.replace(/,? (with args beginning|script:|Please check).*$/s, '').slice(0, 200);
}

function optional(text: string | undefined): readonly [string, string] {
  return text === undefined ? ['0', ''] : ['1', text];
}
