import type { TopicPartition } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { kindOfTopic } from '@aipx/market-proto';

/**
 * Every name of the lake. A batch is known by topic, partition and first offset; the offset has 20 digits, so that
 * names sort as offsets do.
 */
export class LakeNames {
  readonly #prefix: string;
  readonly partition: TopicPartition;

  /** @param prefix of all keys, without slashes at its ends */
  constructor(prefix: string, partition: TopicPartition) {
    if (!/^[^/\\\s]+(\/[^/\\\s]+)*$/.test(prefix)) {
      throw new MarketDataError(
        'CONFIG_INVALID',
        `the lake's prefix is ${JSON.stringify(prefix)}; expected a path without slashes at its ends, such as market-data`,
      );
    }
    this.#prefix = prefix;
    this.partition = partition;
  }

  plan(begin: bigint): string {
    return `${this.#prefix}/_plan/${this.#batch(begin)}.json`;
  }

  entry(begin: bigint): string {
    return `${this.#prefix}/_manifest/${this.#batch(begin)}.json`;
  }

  /** Of a batch's rows of one event hour, relative to the prefix. */
  file(hour: string, begin: bigint): string {
    const [year, month, day, clock] = hour.split(/[-T]/);
    const folder = `${kindOfTopic(this.partition.topic)}/year=${year}/month=${month}/day=${day}/hour=${clock}`;
    return `${folder}/${this.#batch(begin)}.parquet`;
  }

  /** The whole key of a name relative to the prefix. */
  key(relative: string): string {
    return `${this.#prefix}/${relative}`;
  }

  /** What the names of all plans of the partition, and possibly others, begin with. */
  get plans(): string {
    return `${this.#prefix}/_plan/${this.#batches}-`;
  }

  get entries(): string {
    return `${this.#prefix}/_manifest/${this.#batches}-`;
  }

  /** The first offset in a plan's or entry's key; `undefined` for a key of another partition that begins alike. */
  beginOf(key: string): bigint | undefined {
    const digits = /-(\d{20})\.json$/.exec(key)?.[1];
    if (digits === undefined) return undefined;
    const begin = BigInt(digits);
    return key === this.plan(begin) || key === this.entry(begin) ? begin : undefined;
  }

  get #batches(): string {
    return `${this.partition.topic}-${this.partition.partition}`;
  }

  #batch(begin: bigint): string {
    return `${this.#batches}-${begin.toString().padStart(20, '0')}`;
  }
}

/** `2024-05-01T13`: the hour of a time, UTC, as plans and entries write it. */
export function eventHour(time: bigint): string {
  const NANOS_PER_HOUR = 3_600_000_000_000n;
  const hour = time / NANOS_PER_HOUR - (time < 0n && time % NANOS_PER_HOUR !== 0n ? 1n : 0n);
  return new Date(Number(hour) * 3_600_000).toISOString().slice(0, 13);
}
