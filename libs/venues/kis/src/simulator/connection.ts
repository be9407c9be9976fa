import { randomBytes } from 'node:crypto';
import type { SimulatedClient, SimulatedConnection, SimulatedEvent, SimulatedStream } from '@aipx/venue/simulation';
import { bookFields } from './book-frame.js';
import { venueTime } from './clock.js';
import { answer, pingPong, sessionError } from './control.js';
import { BROKEN_TEXT, envelope, fitted, type Secrets } from './envelope.js';
import type { Exchange } from './exchange.js';
import type { Payload } from './market.js';
import { OperationTimer } from './operations.js';
import { readRequest, type Request } from './request.js';
import { STOCK_BY_CODE } from './stocks.js';
import { tradeFields } from './trade-frame.js';
import { TRANSACTIONS, type Transaction } from './transactions.js';

type Asked = Extract<Request, { kind: 'register' | 'unregister' }>;

interface Registration {
  readonly transaction: Transaction;
  readonly symbol: string;
  readonly secrets: Secrets;
  readonly number: number;
  /** Whether it was acknowledged; before that no data flows, but the place is taken. */
  active: boolean;
}

/** RFC 6455: the connection ended without a close frame. */
const ABRUPT = 1006;

/** The venue's side of one connection. */
export class KisConnection implements SimulatedConnection {
  readonly #client: SimulatedClient;
  readonly #listed: ReadonlySet<string>;
  readonly #exchange: Exchange;
  readonly #registrations = new Map<string, Registration>();
  /** The acknowledged ones that market data belongs to, by their stream. */
  readonly #fed = new Map<string, Registration>();
  readonly #operations: OperationTimer;
  /** One pair a stream: its symbols share it. */
  readonly #secrets = new Map<string, Secrets>();
  /** Whose session it is, once one stands. */
  #appkey: string | undefined;
  #streams: readonly SimulatedStream[] = [];
  #unansweredPings = 0;

  constructor(client: SimulatedClient, listed: ReadonlySet<string>, exchange: Exchange) {
    this.#client = client;
    this.#listed = listed;
    this.#exchange = exchange;
    this.#operations = new OperationTimer(client, exchange);
    this.#pingLater();
  }

  get subscribed(): boolean {
    return this.#streams.length > 0;
  }

  get streams(): readonly SimulatedStream[] {
    return this.#streams;
  }

  /** The venue has none. */
  takeSnapshotRequests(): readonly SimulatedStream[] {
    return [];
  }

  onText(text: string): void {
    const request = readRequest(text);
    switch (request.kind) {
      case 'pong':
        this.#unansweredPings = 0;
        break;
      case 'error':
        this.#client.control(sessionError(request.code));
        break;
      case 'register':
      case 'unregister':
        if (this.#holdsSession(request)) this.#serve(request);
        break;
    }
  }

  /** Both answers to a PINGPONG are in official code: its echo, and a pong frame. */
  onPong(): void {
    this.#unansweredPings = 0;
  }

  onEnd(code: number): void {
    const { sessions, behaviour } = this.#exchange;
    if (this.#appkey !== undefined) sessions.release(this.#appkey, this, code === ABRUPT ? behaviour.zombieMs : 0);
  }

  frame(event: SimulatedEvent): Uint8Array | undefined {
    this.#operations.tellDue();
    const registration = this.#fed.get(keyOf(event));
    if (registration === undefined || this.#isMuted(registration)) return undefined;
    return this.#encode(registration, event.payload as Payload);
  }

  refuse(): void {
    this.#client.control(sessionError('OPSP8996'));
    this.#client.close(1000);
  }

  /** The first request opens the session of its approval key; the key is looked at then and never again. */
  #holdsSession({ approvalKey }: Asked): boolean {
    if (this.#appkey !== undefined) return true;
    const { keys, sessions, behaviour } = this.#exchange;
    const appkey = keys.appkeyOf(approvalKey);
    if (appkey === undefined) {
      this.#client.control(sessionError('OPSP0011', approvalKey === '' ? 'NOT FOUND' : approvalKey));
      return false;
    }
    if (behaviour.alwaysInUse || !sessions.claim(appkey, this)) {
      this.#client.control(sessionError('OPSP8996'));
      return false;
    }
    this.#appkey = appkey;
    return true;
  }

  #serve({ kind, transaction: id, symbol }: Asked): void {
    if (this.#exchange.behaviour.losesRequest()) return;
    const transaction = TRANSACTIONS.get(id);
    const stream = {
      transaction: id,
      symbol,
      encrypted: transaction?.encrypted === true || this.#exchange.settings.encrypted === true,
    };
    const refusal = kind === 'register' ? this.#refusal(transaction, symbol) : this.#unregisterRefusal(id, symbol);
    if (refusal !== undefined) {
      this.#answer(answer(refusal, stream));
    } else if (kind === 'unregister') {
      this.#answer(answer('OPSP0001', stream), () => this.#registrations.delete(`${id} ${symbol}`));
    } else if (transaction !== undefined) {
      const number = this.#exchange.behaviour.numberRegistration();
      const registration = { transaction, symbol, secrets: this.#secretsOf(id), number, active: false };
      this.#registrations.set(`${id} ${symbol}`, registration);
      this.#answer(answer('OPSP0000', stream, registration.secrets), () => {
        registration.active = true;
        if (transaction.content === 'operation')
          this.#operations.start(transaction.id, symbol, () => registration.active);
      });
    }
  }

  #secretsOf(id: string): Secrets {
    let secrets = this.#secrets.get(id);
    if (secrets === undefined) this.#secrets.set(id, (secrets = newSecrets()));
    return secrets;
  }

  #isMuted({ transaction, symbol, number }: Registration): boolean {
    return this.#exchange.behaviour.isMuted(`${transaction.id} ${symbol}`, number);
  }

  #refusal(transaction: Transaction | undefined, symbol: string): string | undefined {
    const { behaviour } = this.#exchange;
    const ordered = behaviour.takeAnswer(`${transaction?.id ?? ''} ${symbol}`);
    if (ordered !== undefined) return ordered;
    if (transaction === undefined) return 'OPSP8991';
    if (transaction.content !== 'quiet' && !this.#listed.has(symbol)) return 'OPSP8992';
    if (this.#registrations.has(`${transaction.id} ${symbol}`)) return 'OPSP0002';
    return this.#registrations.size >= behaviour.registrations ? 'OPSP0008' : undefined;
  }

  #unregisterRefusal(id: string, symbol: string): string | undefined {
    const registration = this.#registrations.get(`${id} ${symbol}`);
    if (registration === undefined) return 'OPSP0003';
    registration.active = false;
    this.#updateStreams();
    return undefined;
  }

  /** Says it now or, when acknowledgements are slow, later; `effect` comes with it. */
  #answer(text: string, effect?: () => void): void {
    const { behaviour } = this.#exchange;
    const { acknowledgeAfterMs } = behaviour;
    const say = (): void => {
      effect?.();
      this.#updateStreams();
      if (!behaviour.losesAcknowledgement()) this.#client.control(text);
    };
    if (acknowledgeAfterMs === 0) say();
    else this.#client.later(acknowledgeAfterMs, say);
  }

  #updateStreams(): void {
    this.#fed.clear();
    this.#streams = [...this.#registrations.values()].flatMap((registration): SimulatedStream[] => {
      const { transaction, symbol, active } = registration;
      const { content, segment } = transaction;
      const traded = segment !== 'NXT' || STOCK_BY_CODE.get(symbol)?.onNxt === true;
      if (!active || !traded || content === 'operation' || content === 'quiet') return [];
      const stream = { symbol, channel: content, segment };
      this.#fed.set(keyOf(stream), registration);
      return [stream];
    });
  }

  #encode({ transaction, secrets }: Registration, payload: Payload): Uint8Array {
    const { settings, behaviour } = this.#exchange;
    const width = settings.widths?.[transaction.id] ?? transaction.width;
    const missing = behaviour.breaksText() ? BROKEN_TEXT : (settings.missing ?? '');
    const records =
      payload.kind === 'trades'
        ? payload.trades.map((trade) => tradeFields(trade, missing))
        : [bookFields(payload.book, transaction.segment, width, missing)];
    const fittedRecords = records.map((fields) => fitted(fields, width));
    return envelope(transaction.id, fittedRecords, settings.encrypted === true ? secrets : undefined);
  }

  #pingLater(): void {
    const { settings, behaviour, clock } = this.#exchange;
    this.#client.later(settings.pingEveryMs ?? 10_000, () => {
      if (this.#unansweredPings >= (settings.unansweredPings ?? Number.POSITIVE_INFINITY)) {
        this.#client.close(ABRUPT);
        return;
      }
      this.#pingLater();
      if (!behaviour.sendsPingPong) return;
      const { date, time } = venueTime(clock.now);
      this.#client.control(pingPong(date + time));
      this.#unansweredPings += 1;
    });
  }
}

function keyOf({ symbol, channel, segment = '' }: SimulatedStream): string {
  return `${segment} ${channel} ${symbol}`;
}

/** As on the wire: 32 and 16 ASCII characters. */
function newSecrets(): Secrets {
  return { key: randomBytes(16).toString('hex'), iv: randomBytes(8).toString('hex') };
}
