import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { CommittedOffset, TopicPartition } from '../../event-log.js';
import { patiently, pause, within } from '../waiting.js';
import { OFFSET_COMMIT, OFFSET_FETCH } from '../wire/requests.js';
import type { Coordinator } from './coordinator.js';
import type { Membership } from './group-member.js';

export interface OffsetOptions {
  readonly coordinator: Coordinator;
  readonly membership: Membership;
  /** Which connection it uses: the coordinator may take its time to store offsets, and heartbeats must not wait. */
  readonly purpose: string;
  readonly group: string;
  /** Where each partition that is held stands, as far as it is known. */
  readonly positions: () => ReadonlyMap<TopicPartition, CommittedOffset>;
  readonly onFault: (error: MarketDataError) => void;
}

const COMMIT_EVERY_MS = 5_000;
/** Nobody waits for these offsets any longer than this: they are a courtesy. */
const LONGEST_WAIT_MS = 3_000;
/** Where the group keeps no offset. */
const NONE = -1n;
const NEVER = new AbortController().signal;

/** The offsets that a group keeps, for the time of one membership. What fails is told, and nothing depends on it. */
export class CommittedOffsets {
  readonly #options: OffsetOptions;
  /** What this member has committed: the same is not committed again. */
  readonly #known = new Map<TopicPartition, CommittedOffset>();

  constructor(options: OffsetOptions) {
    this.#options = options;
  }

  /** What the group keeps of these partitions; nothing when it cannot be learned in time. */
  async fetch(
    partitions: readonly TopicPartition[],
    stop: AbortSignal,
  ): Promise<ReadonlyMap<TopicPartition, CommittedOffset>> {
    if (partitions.length === 0) return new Map();
    const { group, onFault } = this.#options;
    let fault: MarketDataError | undefined;
    const late = () => fault ?? tookTooLong(group);
    try {
      return await within(LONGEST_WAIT_MS, stop, late, (signal) =>
        patiently(() => this.#fetch(partitions, signal), { signal, onFault: (error) => (fault = error) }),
      );
    } catch (cause) {
      if (!stop.aborted) onFault(asMarketDataError(cause, 'CONNECTION_FAILED'));
      return new Map();
    }
  }

  /** Commits every few seconds until `stop` aborts. Rejects with what asking for the positions throws. */
  async keepCommitting(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await pause(COMMIT_EVERY_MS, stop);
      if (!stop.aborted) await this.commit(this.#options.positions(), stop);
    }
  }

  /** Commits what has changed. Takes 3 s at most and never rejects. */
  async commit(positions: ReadonlyMap<TopicPartition, CommittedOffset>, stop: AbortSignal = NEVER): Promise<void> {
    const { group, onFault } = this.#options;
    const changed = [...positions].filter(([of, now]) => {
      const before = this.#known.get(of);
      return before?.offset !== now.offset || before.metadata !== now.metadata;
    });
    if (changed.length === 0) return;
    const late = () => tookTooLong(group);
    try {
      await within(LONGEST_WAIT_MS, stop, late, (signal) => this.#commit(new Map(changed), signal));
    } catch (cause) {
      if (!stop.aborted) onFault(asMarketDataError(cause, 'CONNECTION_LOST'));
    }
  }

  async #fetch(
    partitions: readonly TopicPartition[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<TopicPartition, CommittedOffset>> {
    const { coordinator, group, purpose } = this.#options;
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const question = { api: OFFSET_FETCH, body: { groupId: group, topics }, purpose, timeoutMs: LONGEST_WAIT_MS };
    const { errorCode, responses } = await coordinator.ask(question, signal);
    coordinator.expectNone(errorCode);
    const kept = new Map<TopicPartition, CommittedOffset>();
    for (const of of partitions) {
      const answer = answerFor(responses, of);
      const offset = BigInt(answer?.offset ?? NONE);
      if (answer?.errorCode === 0 && offset !== NONE) kept.set(of, { offset, metadata: answer.metadata ?? '' });
    }
    return kept;
  }

  async #commit(positions: ReadonlyMap<TopicPartition, CommittedOffset>, signal: AbortSignal): Promise<void> {
    const { coordinator, group, membership, purpose } = this.#options;
    const { generationId, memberId } = membership;
    const topics = byTopic([...positions.keys()], (of) => {
      const { offset, metadata } = positions.get(of) ?? { offset: NONE, metadata: '' };
      return { partition: of.partition, offset: String(offset), metadata };
    });
    const body = { groupId: group, groupGenerationId: generationId, memberId, topics };
    const question = { api: OFFSET_COMMIT, body, purpose, timeoutMs: LONGEST_WAIT_MS };
    const { responses } = await coordinator.ask(question, signal);
    for (const [of, position] of positions) {
      if (answerFor(responses, of)?.errorCode === 0) this.#known.set(of, position);
    }
    for (const { partitions } of responses) for (const { errorCode } of partitions) coordinator.expectNone(errorCode);
  }
}

function byTopic<Entry>(partitions: readonly TopicPartition[], entryOf: (of: TopicPartition) => Entry) {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  return [...topics].map(([topic, ofTopic]) => ({ topic, partitions: ofTopic.map(entryOf) }));
}

function answerFor<Answer extends { readonly partition: number }>(
  responses: readonly { readonly topic: string; readonly partitions: readonly Answer[] }[],
  { topic, partition }: TopicPartition,
): Answer | undefined {
  return responses
    .find((response) => response.topic === topic)
    ?.partitions.find((answer) => answer.partition === partition);
}

function tookTooLong(group: string): MarketDataError {
  return new MarketDataError(
    'CONNECTION_LOST',
    `the offsets of group ${group} were given up after ${LONGEST_WAIT_MS} ms; the sinks know better where they stand`,
    { context: { group }, retryable: true },
  );
}
