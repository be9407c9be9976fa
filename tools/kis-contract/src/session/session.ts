import { setTimeout as sleep } from 'node:timers/promises';
import type { Nanoseconds } from '@aipx/market-model';
import { isDataFrame } from '@aipx/venue-kis';
import type { Redactor } from '../redactor.ts';
import { readControlText, type Answer, type Heartbeat } from './answer.ts';
import { nameOf, request, type Registration, type RequestKind } from './request.ts';
import { KisSocket, type OnFrame } from './socket.ts';

/** Official samples wait as long, or longer. */
const BETWEEN_REQUESTS_MS = 100;
const ANSWER_WITHIN_MS = 5_000;
/** An hour brings a few hundred of each. */
const MOST_KEPT = 10_000;

export interface TimedAnswer extends Answer {
  /** Since its request; since the last one where it is about the session. */
  readonly afterMs: number;
}

export interface TimedHeartbeat extends Heartbeat {
  /** Ms since the epoch. */
  readonly at: number;
}

export interface SessionOptions {
  readonly url: string;
  readonly approvalKey: string;
  readonly redactor: Redactor;
  /** Every frame of market data. */
  readonly onData: OnFrame;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

/** A session with the real-time server, and what it says beside the market data. */
export class Session {
  readonly heartbeats: TimedHeartbeat[] = [];
  /** Texts that are neither answer nor heartbeat, as excerpts. */
  readonly unreadable: string[] = [];
  readonly answers: TimedAnswer[] = [];
  readonly #options: SessionOptions;
  readonly #socket: KisSocket;
  /** By stream and code; of the last request of all by ''. */
  readonly #askedAt = new Map<string, number>();
  #openedAt = 0;
  #onAnswer: (answer: TimedAnswer) => void = () => undefined;

  private constructor(options: SessionOptions) {
    this.#options = options;
    this.#socket = new KisSocket(options.url, (bytes, receivedAt) => this.#read(bytes, receivedAt));
  }

  /** @throws {MarketDataError} `CONNECTION_*` when it does not open, or the signal's reason */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    await session.#socket.opened(options.signal);
    session.#openedAt = Date.now();
    return session;
  }

  /** Ms since the epoch. */
  get openedAt(): number {
    return this.#openedAt;
  }

  /** Why the connection was lost, if it was. */
  get lost(): AbortSignal {
    return this.#socket.lost;
  }

  /**
   * Asks for each, and waits until each is answered, the session is refused or lost, or five seconds have passed.
   *
   * @throws the signal's reason
   */
  async ask(kind: RequestKind, registrations: readonly Registration[]): Promise<readonly TimedAnswer[]> {
    const open = new Set(registrations.map(nameOf));
    const done = new AbortController();
    const round: TimedAnswer[] = [];
    this.#onAnswer = (answer) => {
      round.push(answer);
      const { trId, code } = answer;
      if (trId === undefined || code === undefined) done.abort();
      else open.delete(nameOf({ trId, code }));
      if (open.size === 0) done.abort();
    };
    const over = AbortSignal.any([done.signal, this.lost]);
    for (const registration of registrations) {
      if (over.aborted) break;
      for (const name of [nameOf(registration), '']) this.#askedAt.set(name, performance.now());
      this.#socket.send(request(kind, this.#options.approvalKey, registration));
      await this.pass(BETWEEN_REQUESTS_MS, over);
    }
    await this.pass(ANSWER_WITHIN_MS, over);
    this.#onAnswer = () => undefined;
    return round;
  }

  /** Lets time pass, until `over` or the loss of the connection. @throws the signal's reason */
  async pass(ms: number, over?: AbortSignal): Promise<void> {
    const { signal } = this.#options;
    const until = AbortSignal.any([signal, this.lost, ...(over === undefined ? [] : [over])]);
    await sleep(ms, undefined, { signal: until }).catch(() => undefined);
    signal.throwIfAborted();
  }

  async close(): Promise<void> {
    await this.#socket.close();
  }

  #read(bytes: Uint8Array, receivedAt: Nanoseconds): void {
    if (isDataFrame(bytes)) {
      this.#options.onData(bytes, receivedAt);
      return;
    }
    const control = readControlText(new TextDecoder().decode(bytes));
    switch (control.kind) {
      case 'heartbeat':
        this.#socket.send(control.text);
        keep(this.heartbeats, { ...control, at: Date.now() });
        break;
      case 'answer':
        this.#answered(control);
        break;
      case 'unreadable':
        keep(this.unreadable, control.excerpt);
        break;
    }
  }

  #answered(answer: Answer): void {
    for (const secret of [answer.cipherKey, answer.iv]) {
      if (typeof secret === 'string') this.#options.redactor.learn(secret);
    }
    const { trId = '', code = '' } = answer;
    const now = performance.now();
    const askedAt = this.#askedAt.get(nameOf({ trId, code })) ?? this.#askedAt.get('') ?? now;
    const timed = { ...answer, afterMs: Math.round(now - askedAt) };
    keep(this.answers, timed);
    this.#onAnswer(timed);
  }
}

function keep<Item>(items: Item[], item: Item): void {
  if (items.length < MOST_KEPT) items.push(item);
}
