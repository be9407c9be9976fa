import type { Subscription } from '@aipx/venue';
import type { SimulatedClient, SimulatedConnection, SimulatedEvent } from '@aipx/venue/simulation';
import { frameOf, type Format } from './frames.js';
import { readRequest, type Request, type RequestedStream, type RequestedType } from './request.js';

/** Times of the protocol, so that a test need not wait a minute. */
export interface UpbitTimings {
  /** The venue cuts a client that was silent for so long, ms. @default 60000, as seen on the wire; documented are 120000 */
  readonly idleLimitMs: number;
  /** Between two `{"status":"UP"}`, ms. @default 10000 */
  readonly statusEveryMs: number;
  /** From an error message to the close, ms. @default 150 */
  readonly closeAfterErrorMs: number;
  /** Old messages that still arrive after a request that replaces another, 0 to 2. @default 0 */
  readonly trailingMessages: number;
}

type Subscribe = Extract<Request, { kind: 'subscribe' }>;

/** Upbit's side of one connection. */
export class UpbitConnection implements SimulatedConnection {
  readonly #client: SimulatedClient;
  readonly #listed: ReadonlySet<string>;
  readonly #timings: UpbitTimings;
  #format: Format = 'DEFAULT';
  #types: readonly RequestedType[] = [];
  #current = new Map<string, RequestedStream>();
  /** What the last request replaced, while some of it may still arrive. */
  #replaced = new Map<string, RequestedStream>();
  #trailing = 0;
  #streams: readonly Subscription[] = [];
  #snapshotRequests: readonly Subscription[] = [];
  #subscribed = false;
  #refused = false;
  #reportsStatus = false;

  constructor(client: SimulatedClient, listed: ReadonlySet<string>, timings: UpbitTimings) {
    this.#client = client;
    this.#listed = listed;
    this.#timings = timings;
  }

  get subscribed(): boolean {
    return this.#subscribed;
  }

  get streams(): readonly Subscription[] {
    return this.#streams;
  }

  takeSnapshotRequests(): readonly Subscription[] {
    const requests = this.#snapshotRequests;
    this.#snapshotRequests = [];
    return requests;
  }

  onText(text: string): void {
    if (this.#refused) return;
    if (text === 'PING') {
      this.#startStatus();
      return;
    }
    const request = readRequest(text);
    switch (request.kind) {
      case 'subscribe':
        this.#replace(request);
        break;
      case 'list':
        // Documented: the format is the connection's, so a list in another format switches the running streams.
        this.#format = request.format ?? this.#format;
        this.#client.control(this.#list(request.ticket));
        break;
      case 'error':
        this.#fail(request.error);
        break;
    }
  }

  frame(event: SimulatedEvent): Uint8Array | undefined {
    const key = keyOf(event);
    const stream = this.#current.get(key) ?? this.#takeTrailing(key);
    if (stream === undefined || !(event.snapshot ? stream.snapshot : stream.realtime)) return undefined;
    return frameOf(event, this.#format, stream.depth);
  }

  refuse(): void {
    if (this.#refused) return;
    this.#fail('{"error":{"name":"TOO_MANY_REQUEST","message":"요청 수 제한을 초과했습니다."}}');
  }

  /** As seen on the wire: a later request replaces the earlier one as a whole. */
  #replace(request: Subscribe): void {
    this.#replaced = this.#current;
    this.#trailing = this.#replaced.size > 0 ? this.#timings.trailingMessages : 0;
    this.#format = request.format;
    this.#types = request.types;
    this.#subscribed = true;
    // As seen on the wire: unknown, delisted and lower-case codes are ignored without a word.
    const known = request.streams.filter(({ symbol }) => this.#listed.has(symbol));
    this.#current = new Map(known.map((stream) => [keyOf(stream), stream]));
    this.#snapshotRequests = [...this.#current.values()].filter(({ snapshot }) => snapshot);
    this.#updateStreams();
  }

  #takeTrailing(key: string): RequestedStream | undefined {
    if (this.#trailing === 0) return undefined;
    const stream = this.#replaced.get(key);
    if (stream?.realtime !== true) return undefined;
    this.#trailing -= 1;
    if (this.#trailing === 0) this.#updateStreams();
    return stream;
  }

  #updateStreams(): void {
    const all = this.#trailing > 0 ? new Map([...this.#replaced, ...this.#current]) : this.#current;
    this.#streams = [...all.values()].filter(({ realtime }) => realtime);
  }

  /** As seen on the wire: the error, and some 150 ms later a regular close. Nothing else is said between. */
  #fail(error: string): void {
    this.#refused = true;
    this.#streams = [];
    this.#snapshotRequests = [];
    this.#client.control(error);
    this.#client.later(this.#timings.closeAfterErrorMs, () => {
      this.#client.close(1000);
    });
  }

  /** Documented: one `PING` starts a report every ten seconds for the life of the connection. */
  #startStatus(): void {
    if (this.#reportsStatus) return;
    this.#reportsStatus = true;
    const report = (): void => {
      if (this.#refused) return;
      this.#client.control('{"status":"UP"}');
      this.#client.later(this.#timings.statusEveryMs, report);
    };
    this.#client.later(this.#timings.statusEveryMs, report);
  }

  #list(ticket: string): string {
    const simple = this.#format === 'SIMPLE' || this.#format === 'SIMPLE_LIST';
    const result = this.#types.map(({ type, codes, level }) =>
      simple
        ? { ty: type, cds: codes, ...(type === 'orderbook' && { lv: level }) }
        : { type, codes, ...(type === 'orderbook' && { level }) },
    );
    return JSON.stringify(
      simple
        ? { mthd: 'LIST_SUBSCRIPTIONS', rslt: result, tckt: ticket }
        : { method: 'LIST_SUBSCRIPTIONS', result, ticket },
    );
  }
}

function keyOf({ channel, symbol }: Subscription): string {
  return channel === 'tick' ? `t${symbol}` : `b${symbol}`;
}
