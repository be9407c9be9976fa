import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { placeOf, STORED_TOPICS } from './topics.ts';

const EMPTIED_MS = 30_000;
const ASK_EVERY_MS = 250;
/** A broker writes down where its logs begin once a minute by default; one that is killed before has the records again. */
export const BEGINNINGS_KEPT_EVERY_MS = 500;

/** What the log has of a partition: the first offset that can be read, and the one that comes next. */
export interface LogRange {
  readonly topic: string;
  readonly partition: number;
  readonly begin: number;
  readonly end: number;
}

/** What an operator does to topics and groups. One connection a call: the broker is killed again and again. */
export class KafkaAdmin {
  readonly #kafka: Kafka;

  constructor(brokers: readonly string[]) {
    this.#kafka = new Kafka({ brokers: [...brokers], clientId: 'fault-run', logLevel: logLevel.NOTHING });
  }

  async ranges(): Promise<readonly LogRange[]> {
    return await this.#use(async (admin) => {
      const ranges = await Promise.all(
        STORED_TOPICS.map(async (topic) => {
          const offsets = await admin.fetchTopicOffsets(topic);
          return offsets.map(({ partition, low, high }) => {
            return { topic, partition, begin: Number(low), end: Number(high) };
          });
        }),
      );
      return ranges.flat();
    });
  }

  /** What retention does: records before the offset are gone, also for a broker that is killed the next moment. */
  async deleteBefore(topic: string, partition: number, offset: number): Promise<void> {
    await this.#use(async (admin) => {
      await admin.fetchTopicOffsets(topic); // kafkajs knows the partition's leader only from then on
      await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: `${offset}` }] });
    });
    await sleep(BEGINNINGS_KEPT_EVERY_MS * 2);
  }

  /** Once all members are gone. A group that never was is as good as deleted. */
  async deleteGroup(group: string): Promise<void> {
    await this.#use(async (admin) => {
      if ((await emptied(admin, group)) === 'Empty') await admin.deleteGroups([group]);
    });
  }

  /** Once all members are gone. */
  async moveGroup(group: string, to: (range: LogRange) => number): Promise<void> {
    const ranges = await this.ranges();
    await this.#use(async (admin) => {
      await emptied(admin, group);
      for (const topic of STORED_TOPICS) {
        const partitions = ranges
          .filter((range) => range.topic === topic)
          .map((range) => ({ partition: range.partition, offset: `${to(range)}` }));
        await admin.setOffsets({ groupId: group, topic, partitions });
      }
    });
  }

  async #use<Result>(action: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = this.#kafka.admin();
    await admin.connect();
    try {
      return await action(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

/** Members that were killed stay until their session ends. @returns the group's state: `Empty`, or `Dead` if there is none */
async function emptied(admin: Admin, group: string): Promise<string> {
  for (const until = performance.now() + EMPTIED_MS; ; await sleep(ASK_EVERY_MS)) {
    const { groups } = await admin.describeGroups([group]);
    const state = groups[0]?.state ?? 'Dead';
    if (state === 'Empty' || state === 'Dead') return state;
    if (performance.now() > until)
      throw new Error(`${group} still has members after ${EMPTIED_MS / 1_000} s: ${state}`);
  }
}

/** By `topic/partition`. */
export function byPlace(ranges: readonly LogRange[]): ReadonlyMap<string, LogRange> {
  return new Map(ranges.map((range) => [placeOf(range.topic, range.partition), range]));
}
