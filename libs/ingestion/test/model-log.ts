import type { EventLog, LogEntry, TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';

/** `lost-answer`: the log took it, and the sender cannot know. */
export type Outcome = 'taken' | 'refused' | 'lost-answer' | 'never-answered';

const PARTITIONS = 3;

/**
 * A log with Kafka's rules for a sender: one send a partition at a time; what was sent again unchanged is known and not
 * doubled; something else after an unanswered send is a fault of the sender, which it records.
 */
export class ModelLog implements Pick<EventLog, 'partitionFor' | 'append'> {
  /** What each partition holds, `topic/partition`. */
  readonly partitions = new Map<string, LogEntry[]>();
  readonly violations: string[] = [];
  readonly #nextOutcome: () => Outcome;
  readonly #busy = new Set<string>();
  readonly #unanswered = new Map<string, { readonly entries: readonly LogEntry[]; readonly isTaken: boolean }>();

  constructor(nextOutcome: () => Outcome) {
    this.#nextOutcome = nextOutcome;
  }

  /** The sender is another process now, of which the log knows nothing. */
  newSender(): void {
    this.#busy.clear();
    this.#unanswered.clear();
  }

  partitionFor(topic: string, key: string): TopicPartition {
    return { topic, partition: (key.codePointAt(key.length - 1) ?? 0) % PARTITIONS };
  }

  async append(entries: readonly LogEntry[]): Promise<void> {
    const name = this.#partitionOf(entries);
    if (this.#busy.has(name)) this.violations.push(`two sends to ${name} at a time`);
    this.#busy.add(name);
    await Promise.resolve();
    const outcome = this.#nextOutcome();
    if (outcome === 'never-answered') await new Promise(() => undefined);
    this.#busy.delete(name);
    const before = this.#unanswered.get(name);
    if (before !== undefined && !isSame(before.entries, entries)) this.violations.push(`${name}: another batch`);
    const isTaken = before?.isTaken === true || outcome !== 'refused';
    if (isTaken && before?.isTaken !== true) this.partitions.set(name, [...this.#held(name), ...entries]);
    if (outcome === 'taken') {
      this.#unanswered.delete(name);
      return;
    }
    this.#unanswered.set(name, { entries, isTaken });
    throw new MarketDataError('PUBLISH_FAILED', outcome, { retryable: true });
  }

  entriesOf(topic: string): LogEntry[] {
    return [...this.partitions].filter(([name]) => name.startsWith(`${topic}/`)).flatMap(([, entries]) => entries);
  }

  #held(name: string): readonly LogEntry[] {
    return this.partitions.get(name) ?? [];
  }

  #partitionOf(entries: readonly LogEntry[]): string {
    const names = new Set(entries.map(({ topic, key }) => `${topic}/${this.partitionFor(topic, key).partition}`));
    if (names.size !== 1) this.violations.push(`a send to ${[...names].join(' and ')}`);
    return [...names].join();
  }
}

function isSame(a: readonly LogEntry[], b: readonly LogEntry[]): boolean {
  return a.length === b.length && a.every((entry, at) => entry === b[at]);
}
