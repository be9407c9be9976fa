import { MarketDataError } from '@aipx/market-model';
import type { Cluster, Host } from '../cluster.js';
import { abortable, within } from '../waiting.js';
import { kafkaError, saysNothing, type Api } from '../wire/protocol.js';
import { FIND_COORDINATOR } from '../wire/requests.js';

export interface CoordinatorOptions {
  readonly cluster: Cluster;
  readonly group: string;
}

export interface Question<Body, Answer> {
  readonly api: Api<Body, Answer>;
  readonly body: Body;
  /** Which connection it goes by: a broker takes one request of a connection at a time. */
  readonly purpose: string;
  readonly timeoutMs: number;
}

/** What a member is told when the group has gone on from the generation it knows. */
const MOVED_ON: ReadonlySet<string> = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']);

/** The broker that keeps a group, looked up again after each failure: another one may keep it by then. */
export class Coordinator {
  readonly #cluster: Cluster;
  readonly #group: string;
  #host: Host | undefined;

  constructor({ cluster, group }: CoordinatorOptions) {
    this.#cluster = cluster;
    this.#group = group;
  }

  /**
   * The answer, with the errors inside it left to the caller. Nothing is sent any more once the signal aborts.
   *
   * @throws {MarketDataError} `CONNECTION_FAILED` or `CONNECTION_LOST` (retryable), after the timeout at the latest once
   * the coordinator is known; or the signal's reason when it aborts
   */
  async ask<Body, Answer>(question: Question<Body, Answer>, signal: AbortSignal): Promise<Answer> {
    return await this.askAt(await this.find(signal), question, signal);
  }

  /** As `ask`, of a coordinator that was found before. */
  async askAt<Body, Answer>(
    host: Host,
    { api, body, purpose, timeoutMs }: Question<Body, Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    signal.throwIfAborted();
    const late = () =>
      new MarketDataError(
        'CONNECTION_LOST',
        `node ${host.node}, which keeps group ${this.#group}, does not answer (${api.name}, ${timeoutMs} ms)`,
        { context: { group: this.#group }, retryable: true },
      );
    try {
      const ask = () => this.#cluster.ask(host, purpose, api, body, timeoutMs);
      return await within(timeoutMs, signal, late, ask);
    } catch (cause) {
      if (!signal.aborted) this.#host = undefined;
      throw cause;
    }
  }

  /** @throws {MarketDataError} `CONNECTION_FAILED` (retryable) while the group has none; or the signal's reason */
  async find(signal: AbortSignal): Promise<Host> {
    this.#host ??= await abortable(this.#find(), signal);
    return this.#host;
  }

  /**
   * Expects an answer's error number to be none.
   *
   * @throws {MarketDataError} `CONNECTION_FAILED` (retryable) for what passes, `STORE_REFUSED` for the rest
   */
  expectNone(errorCode: number): void {
    const error = kafkaError(errorCode);
    if (error === undefined) return;
    const isOfMember = MOVED_ON.has(error.type);
    if (!isOfMember) this.#host = undefined;
    const isPassing = error.retriable || isOfMember || saysNothing(error);
    throw new MarketDataError(
      isPassing ? 'CONNECTION_FAILED' : 'STORE_REFUSED',
      `consumer group ${this.#group}: ${error.message} (${error.type})`,
      { context: { group: this.#group }, retryable: isPassing },
    );
  }

  async #find(): Promise<Host> {
    const { errorCode, coordinator } = await this.#cluster.askAny(FIND_COORDINATOR, { groupId: this.#group });
    this.expectNone(errorCode);
    const known = this.#cluster.host(coordinator.nodeId);
    if (known !== undefined) return known;
    await this.#cluster.refresh();
    const found = this.#cluster.host(coordinator.nodeId);
    if (found !== undefined) return found;
    throw new MarketDataError('CONNECTION_FAILED', `the coordinator of group ${this.#group} is away`, {
      retryable: true,
    });
  }
}

/** Whether the group has gone on from the generation that the question was about. */
export function hasMovedOn(errorCode: number): boolean {
  return MOVED_ON.has(kafkaError(errorCode)?.type ?? '');
}

export function isType(errorCode: number, type: string): boolean {
  return kafkaError(errorCode)?.type === type;
}
