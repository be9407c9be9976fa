import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { TopicPartition } from '../../event-log.js';
import type { Cluster } from '../cluster.js';
import { abortable, patiently, within } from '../waiting.js';
import {
  HEARTBEAT,
  JOIN_GROUP,
  LEAVE_GROUP,
  SYNC_GROUP,
  type GroupMember as Member,
  type JoinGroupAnswer,
} from '../wire/requests.js';
import { type Coordinator, hasMovedOn, isType } from './coordinator.js';
import { assignmentFrom, ASSIGNOR, shareOut, subscription, topicsOf } from './group-assignment.js';

export interface MemberOptions {
  readonly cluster: Cluster;
  readonly coordinator: Coordinator;
  /** Which connections it uses; none but this member's. */
  readonly name: string;
  readonly group: string;
  readonly topics: readonly string[];
  /** After so long without a heartbeat, ms, the group goes on without this member. */
  readonly sessionTimeoutMs: number;
  readonly onFault: (error: MarketDataError) => void;
}

/** What a member has in one generation of its group. */
export interface Membership {
  readonly memberId: string;
  readonly generationId: number;
  readonly partitions: readonly TopicPartition[];
  /** How many partitions each topic had when this member shared them out; empty for who is not the leader. */
  readonly counts: ReadonlyMap<string, number>;
  /** When the last good heartbeat was sent, `performance.now()`: the session cannot have ended before a timeout from then. */
  heardAt: number;
}

/** How long the group waits for a member that still hands back what it had, ms. */
const REBALANCE_TIMEOUT_MS = 60_000;
/** What the coordinator may take on top of it. */
const ANSWER_MARGIN_MS = 5_000;
const LONGEST_NAMING_MS = 10_000;
const ANSWERS_A_SESSION = 3;
const LONGEST_LEAVE_MS = 3_000;

/**
 * A member of a consumer group, which says who reads which partitions and nothing else: where to begin is said by those
 * who read.
 */
export class GroupMember {
  readonly #options: MemberOptions;
  readonly #coordinator: Coordinator;
  /** For joining and heartbeats: the coordinator holds back its answer to a join, and reads nothing else meanwhile. */
  readonly #purpose: string;
  readonly #leavingPurpose: string;
  readonly #left = new AbortController();
  #id = '';
  /** The request for a name, while it is under way: it is not cut off, so that who stops can give the name back. */
  #naming: Promise<void> | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#coordinator = options.coordinator;
    this.#purpose = `member-${options.name}`;
    this.#leavingPurpose = `leave-${options.name}`;
  }

  /**
   * Joins the group, or joins it again, and waits for its share of the partitions. What it had before must be handed
   * back by then.
   *
   * @throws {MarketDataError} `CONNECTION_FAILED` (retryable) when it must be tried again, `STORE_REFUSED`; or the
   * signal's reason, after which nothing more is sent
   */
  async join(stop: AbortSignal): Promise<Membership> {
    if (this.#id === '') await this.#takeName(stop);
    const { generationId, leaderId, members } = await this.#enter(stop);
    const counts = leaderId === this.#id ? await this.#countPartitions(members, stop) : new Map<string, number>();
    const partitions = await this.#receiveShare(generationId, members, counts, stop);
    const membership: Membership = { memberId: this.#id, generationId, partitions, counts, heardAt: 0 };
    // The session began when the group was complete, which nobody here saw: it is known from a heartbeat on.
    if (await this.beat(membership, stop)) throw this.#movedOn();
    return membership;
  }

  /**
   * Sends a heartbeat, and says whether the group has moved on from this membership. A group that rebalances still counts
   * it.
   *
   * @throws {MarketDataError} as `Coordinator.ask` and `expectNone` do
   */
  async beat(membership: Membership, stop: AbortSignal): Promise<boolean> {
    const { group, sessionTimeoutMs } = this.#options;
    const { generationId, memberId } = membership;
    const host = await this.#coordinator.find(stop);
    const sentAt = performance.now();
    const body = { groupId: group, groupGenerationId: generationId, memberId };
    const timeoutMs = sessionTimeoutMs / ANSWERS_A_SESSION;
    const question = { api: HEARTBEAT, body, purpose: this.#purpose, timeoutMs };
    const { errorCode } = await this.#coordinator.askAt(host, question, stop);
    if (isType(errorCode, 'UNKNOWN_MEMBER_ID')) this.#id = '';
    const isOver = hasMovedOn(errorCode);
    if (!isOver) this.#coordinator.expectNone(errorCode);
    if (!isOver || isType(errorCode, 'REBALANCE_IN_PROGRESS')) membership.heardAt = sentAt;
    return isOver;
  }

  /** Leaves the group, so that the others need not wait for the session to end. Takes 3 s at most and never rejects. */
  async leave(): Promise<void> {
    const { cluster, group, onFault } = this.#options;
    const late = () =>
      new MarketDataError(
        'CONNECTION_LOST',
        `group ${group} was not told in ${LONGEST_LEAVE_MS} ms that this member leaves; it waits until the session ends`,
        { context: { group }, retryable: true },
      );
    try {
      await within(LONGEST_LEAVE_MS, this.#left.signal, late, (signal) => this.#sayGoodbye(signal));
    } catch (cause) {
      onFault(asMarketDataError(cause, 'CONNECTION_LOST'));
    } finally {
      this.#left.abort();
      const over = new MarketDataError('CONNECTION_LOST', `this member left group ${group}`, { retryable: true });
      cluster.end(this.#purpose, over);
      cluster.end(this.#leavingPurpose, over);
    }
  }

  /** First the coordinator gives out a name, so that one that leaves while it waits can be named. */
  async #takeName(stop: AbortSignal): Promise<void> {
    const host = await this.#coordinator.find(stop);
    stop.throwIfAborted();
    const question = { ...this.#joining(), timeoutMs: LONGEST_NAMING_MS };
    this.#naming = this.#coordinator.askAt(host, question, this.#left.signal).then(({ errorCode, memberId }) => {
      if (!isType(errorCode, 'MEMBER_ID_REQUIRED')) this.#coordinator.expectNone(errorCode);
      this.#id = memberId;
    });
    await abortable(this.#naming, stop);
  }

  async #enter(stop: AbortSignal): Promise<JoinGroupAnswer> {
    const timeoutMs = REBALANCE_TIMEOUT_MS + ANSWER_MARGIN_MS;
    const answer = await this.#coordinator.ask({ ...this.#joining(), timeoutMs }, stop);
    this.#expectNone(answer.errorCode);
    return answer;
  }

  #joining() {
    const { group, topics, sessionTimeoutMs } = this.#options;
    const body = {
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      memberId: this.#id,
      protocolType: 'consumer' as const,
      groupProtocols: [{ name: ASSIGNOR, metadata: subscription(topics) }],
    };
    return { api: JOIN_GROUP, body, purpose: this.#purpose };
  }

  /**
   * How many partitions the topics of all members have now: what was heard before may be old.
   *
   * @throws {MarketDataError} `CONNECTION_FAILED` (retryable) while one of the topics is missing
   */
  async #countPartitions(members: readonly Member[], stop: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const { cluster, group } = this.#options;
    const topics = topicsOf(members);
    cluster.follow(topics);
    await abortable(cluster.refresh(), stop);
    return new Map(
      topics.map((topic) => {
        const count = cluster.partitionCount(topic);
        if (count !== undefined) return [topic, count];
        throw new MarketDataError(
          'CONNECTION_FAILED',
          `group ${group} waits for topic ${topic}, which the cluster does not have (${cluster.topicError(topic)}): ` +
            'was it deleted?',
          { context: { group, topic }, retryable: true },
        );
      }),
    );
  }

  async #receiveShare(
    generationId: number,
    members: readonly Member[],
    counts: ReadonlyMap<string, number>,
    stop: AbortSignal,
  ): Promise<readonly TopicPartition[]> {
    const groupAssignment = counts.size === 0 ? [] : shareOut(members, counts);
    const body = { groupId: this.#options.group, generationId, memberId: this.#id, groupAssignment };
    const timeoutMs = REBALANCE_TIMEOUT_MS + ANSWER_MARGIN_MS;
    const question = { api: SYNC_GROUP, body, purpose: this.#purpose, timeoutMs };
    const { errorCode, memberAssignment } = await this.#coordinator.ask(question, stop);
    this.#expectNone(errorCode);
    return assignmentFrom(memberAssignment);
  }

  async #sayGoodbye(signal: AbortSignal): Promise<void> {
    const { group, sessionTimeoutMs } = this.#options;
    await this.#naming?.catch(() => undefined);
    if (this.#id === '') return;
    const body = { groupId: group, memberId: this.#id };
    const timeoutMs = Math.min(LONGEST_LEAVE_MS, sessionTimeoutMs);
    const question = { api: LEAVE_GROUP, body, purpose: this.#leavingPurpose, timeoutMs };
    const patience = { signal, onFault: () => undefined };
    await patiently(async () => {
      const { errorCode } = await this.#coordinator.ask(question, signal);
      if (!isType(errorCode, 'UNKNOWN_MEMBER_ID')) this.#coordinator.expectNone(errorCode);
    }, patience);
  }

  #expectNone(errorCode: number): void {
    if (isType(errorCode, 'UNKNOWN_MEMBER_ID')) this.#id = '';
    this.#coordinator.expectNone(errorCode);
  }

  #movedOn(): MarketDataError {
    const { group } = this.#options;
    return new MarketDataError('CONNECTION_FAILED', `group ${group} moved on while this member joined it`, {
      context: { group },
      retryable: true,
    });
  }
}
