import { setTimeout as sleep } from 'node:timers/promises';
import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { TopicPartition } from '../event-log.js';
import type { Cluster, Host } from './cluster.js';
import { assignmentFrom, ASSIGNOR, shareOut, subscription } from './group-assignment.js';
import { kafkaError, type Api, type KafkaError } from './wire/protocol.js';
import {
  FIND_COORDINATOR,
  HEARTBEAT,
  JOIN_GROUP,
  LEAVE_GROUP,
  SYNC_GROUP,
  type JoinGroupAnswer,
} from './wire/requests.js';

export interface MemberOptions {
  readonly cluster: Cluster;
  /** Which connection it uses; none but this member's. */
  readonly purpose: string;
  readonly group: string;
  readonly topics: readonly string[];
  /** After so long without a heartbeat, ms, the group goes on without this member. */
  readonly sessionTimeoutMs: number;
  readonly onFault: (error: MarketDataError) => void;
}

interface Membership {
  readonly coordinator: Host;
  readonly generationId: number;
}

/** How long the group waits for a member that still hands back what it had, ms. */
const REBALANCE_TIMEOUT_MS = 60_000;
/** What the coordinator may take on top of it. */
const ANSWER_MARGIN_MS = 5_000;
const HEARTBEATS_A_SESSION = 10;
const ANSWERS_A_SESSION = 3;
const LONGEST_LEAVE_MS = 3_000;

/** The group has moved on from the generation this member knows. */
const OVER: ReadonlySet<string> = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']);

/**
 * A member of a consumer group, which says who reads which partitions and nothing else: where to begin is said by those
 * who read, and no offset is committed here.
 */
export class GroupMember {
  readonly #options: MemberOptions;
  #id = '';
  #membership: Membership | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
  }

  /**
   * Joins the group, or joins it again, and waits for its share of the partitions. What it had before must be handed
   * back by then.
   *
   * @throws {MarketDataError} `CONNECTION_FAILED` (retryable) when it must be tried again, `STORE_REFUSED`
   */
  async join(): Promise<readonly TopicPartition[]> {
    this.#membership = undefined;
    const { cluster, group } = this.#options;
    const coordinator = await this.#findCoordinator();
    const { generationId, leaderId, members } = await this.#askToJoin(coordinator);
    const countOf = (topic: string) => cluster.topic(topic)?.partitionMetadata.length ?? 0;
    const { errorCode, memberAssignment } = await this.#ask(
      coordinator,
      SYNC_GROUP,
      {
        groupId: group,
        generationId,
        memberId: this.#id,
        groupAssignment: leaderId === this.#id ? shareOut(members, countOf) : [],
      },
      REBALANCE_TIMEOUT_MS + ANSWER_MARGIN_MS,
    );
    this.#expectNone(kafkaError(errorCode));
    this.#membership = { coordinator, generationId };
    return assignmentFrom(memberAssignment);
  }

  /**
   * Sends heartbeats until `stop` aborts. Calls `onOver` when what this member was given is its own no longer: the group
   * rebalances, or goes on without it. Heartbeats go on all the same, so that there is time to hand it back.
   */
  async beat(stop: AbortSignal, onOver: () => void): Promise<void> {
    const { sessionTimeoutMs, onFault } = this.#options;
    let heardAt = performance.now();
    while (!stop.aborted) {
      await sleep(sessionTimeoutMs / HEARTBEATS_A_SESSION, undefined, { signal: stop }).catch(() => undefined);
      if (stop.aborted || this.#membership === undefined || this.#id === '') return;
      try {
        if (await this.#isOver(this.#membership)) onOver();
        heardAt = performance.now();
      } catch (cause) {
        onFault(asMarketDataError(cause, 'CONNECTION_LOST'));
        if (performance.now() - heardAt > sessionTimeoutMs) onOver();
        await this.#followCoordinator(this.#membership);
      }
    }
  }

  /** Leaves the group, so that the others need not wait for the session to end. Never rejects. */
  async leave(): Promise<void> {
    const { cluster, group, purpose, onFault } = this.#options;
    const over = new MarketDataError('CONNECTION_LOST', `this member leaves group ${group}`, { retryable: true });
    // It may still wait to be let in, and the broker takes nothing else by that connection meanwhile.
    cluster.end(purpose, over);
    try {
      if (this.#id === '') return;
      const coordinator = this.#membership?.coordinator ?? (await this.#findCoordinator());
      const timeoutMs = Math.min(LONGEST_LEAVE_MS, cluster.requestTimeoutMs);
      await this.#ask(coordinator, LEAVE_GROUP, { groupId: group, memberId: this.#id }, timeoutMs);
    } catch (cause) {
      onFault(asMarketDataError(cause, 'CONNECTION_LOST'));
    } finally {
      cluster.end(purpose, over);
    }
  }

  /** First the coordinator gives out a name, so that one that leaves while it waits can be named. */
  async #askToJoin(coordinator: Host): Promise<JoinGroupAnswer> {
    const { group, topics, sessionTimeoutMs } = this.#options;
    const body = {
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      protocolType: 'consumer' as const,
      groupProtocols: [{ name: ASSIGNOR, metadata: subscription(topics) }],
    };
    const timeoutMs = REBALANCE_TIMEOUT_MS + ANSWER_MARGIN_MS;
    let answer = await this.#ask(coordinator, JOIN_GROUP, { ...body, memberId: this.#id }, timeoutMs);
    if (kafkaError(answer.errorCode)?.type === 'MEMBER_ID_REQUIRED') {
      this.#id = answer.memberId;
      answer = await this.#ask(coordinator, JOIN_GROUP, { ...body, memberId: this.#id }, timeoutMs);
    }
    this.#expectNone(kafkaError(answer.errorCode));
    this.#id = answer.memberId;
    return answer;
  }

  async #isOver({ coordinator, generationId }: Membership): Promise<boolean> {
    const { group, sessionTimeoutMs } = this.#options;
    const body = { groupId: group, groupGenerationId: generationId, memberId: this.#id };
    const { errorCode } = await this.#ask(coordinator, HEARTBEAT, body, sessionTimeoutMs / ANSWERS_A_SESSION);
    const error = kafkaError(errorCode);
    if (error?.type === 'UNKNOWN_MEMBER_ID') this.#id = '';
    if (error !== undefined && OVER.has(error.type)) return true;
    this.#expectNone(error);
    return false;
  }

  async #followCoordinator(membership: Membership): Promise<void> {
    try {
      this.#membership = { ...membership, coordinator: await this.#findCoordinator() };
    } catch {
      // The next heartbeat fails too, and tells.
    }
  }

  /** @throws {MarketDataError} `CONNECTION_FAILED` (retryable) while the group has none */
  async #findCoordinator(): Promise<Host> {
    const { cluster, group } = this.#options;
    const { errorCode, coordinator } = await cluster.askAny(FIND_COORDINATOR, { groupId: group });
    this.#expectNone(kafkaError(errorCode));
    const known = cluster.host(coordinator.nodeId);
    if (known !== undefined) return known;
    await cluster.refresh();
    const found = cluster.host(coordinator.nodeId);
    if (found !== undefined) return found;
    throw new MarketDataError('CONNECTION_FAILED', `the coordinator of group ${group} is away`, { retryable: true });
  }

  #ask<Body, Answer>(host: Host, api: Api<Body, Answer>, body: Body, timeoutMs: number): Promise<Answer> {
    const { cluster, purpose } = this.#options;
    return cluster.ask(host, purpose, api, body, timeoutMs);
  }

  #expectNone(error: KafkaError | undefined): void {
    if (error === undefined) return;
    if (error.type === 'UNKNOWN_MEMBER_ID') this.#id = '';
    const { group } = this.#options;
    const isPassing = error.retriable || OVER.has(error.type);
    throw new MarketDataError(
      isPassing ? 'CONNECTION_FAILED' : 'STORE_REFUSED',
      `consumer group ${group}: ${error.message} (${error.type})`,
      { context: { group }, retryable: isPassing },
    );
  }
}
