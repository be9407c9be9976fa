import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { MarketDataError } from '@aipx/market-model';
import { AMPLE, entry, textOf } from '../../src/contract/entries.js';
import { RecordingHandler } from '../../src/contract/recording-handler.js';
import type { CommittedOffset } from '../../src/index.js';
import type { KafkaEventLog } from '../../src/kafka/index.js';
import { parseAddress } from '../../src/kafka/broker-address.js';
import { OFFSET_COMMIT, OFFSET_FETCH } from '../../src/kafka/wire/requests.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';
import { withAdmin } from '../support/kafkajs-admin.js';
import { LossyProxy } from '../support/lossy-proxy.js';

const KEY = 'KRW-BTC';

/** A sink that stores what it is handed, says where it stands, and notes what the group had kept. */
class Sink extends RecordingHandler {
  readonly hints: (CommittedOffset | undefined)[] = [];
  stored = 0n;

  override beginAt = (_: unknown, __: unknown, committed?: CommittedOffset): bigint => {
    this.hints.push(committed);
    return this.stored;
  };

  override onBatch = (records: { readonly length: number }): void => {
    this.stored += BigInt(records.length);
  };

  position(): CommittedOffset {
    return { offset: this.stored, metadata: `plan ${this.stored}` };
  }
}

describe.skipIf(noKafka)(`The offsets that a group keeps on ${ON_KAFKA}`, () => {
  let topic: string;
  let group: string;
  let proxy: LossyProxy;
  let log: KafkaEventLog;
  let faults: MarketDataError[];
  let sink: Sink;
  let stop: AbortController;
  let consuming: Promise<void>;

  beforeEach(async () => {
    topic = ownName('market.tick');
    group = ownName('hot');
    faults = [];
    sink = new Sink();
    proxy = await LossyProxy.before(parseAddress(inject('kafka').brokers[0] ?? ''));
    log = await openKafkaLog({
      topics: { [topic]: 1 },
      route: () => proxy.address,
      onFault: (error) => void faults.push(error),
    });
    await log.append(['a', 'b', 'c'].map((text) => entry(KEY, text, topic)));
  });

  afterEach(async () => {
    await log.close();
    await proxy.close();
  });

  const start = () => {
    stop = new AbortController();
    consuming = log.consume({ group, topics: [topic], limits: AMPLE }, sink, stop.signal);
  };
  const end = async () => {
    stop.abort();
    await consuming;
  };
  const seenByTools = async () => {
    const [ofTopic] = await withAdmin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
    return ofTopic?.partitions;
  };

  it('are where the sink stands, with its text, as other clients see it, and come back as a hint', async () => {
    start();
    await sink.until(() => sink.records.length === 3);
    await end();
    expect(await seenByTools()).toEqual([{ partition: 0, offset: '3', metadata: 'plan 3' }]);
    start();
    await sink.until(() => sink.assigned.length === 2);
    await end();
    expect(sink.hints).toEqual([undefined, { offset: 3n, metadata: 'plan 3' }]);
    expect(faults).toEqual([]);
  });

  it('are committed while it runs, within seconds', async () => {
    const isCommitted = Promise.withResolvers<undefined>();
    proxy.onAnswer = (kind, answer) => {
      if (kind === OFFSET_COMMIT.key) isCommitted.resolve(undefined);
      return answer;
    };
    start();
    await isCommitted.promise;
    expect(await seenByTools()).toEqual([{ partition: 0, offset: '3', metadata: 'plan 3' }]);
    await end();
  });

  it('never move where the sink reads, wherever an operator has put them', async () => {
    for (const offset of ['1', '3000']) {
      await withAdmin((admin) => admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset }] }));
      start();
      const before = sink.records.length;
      await log.append([entry(KEY, offset, topic)]);
      await sink.until(() => sink.records.length > before && sink.records.map(textOf).includes(offset));
      await end();
      expect(sink.hints.at(-1)).toEqual({ offset: BigInt(offset), metadata: expect.any(String) as string });
    }
    await withAdmin((admin) => admin.deleteGroups([group]));
    start();
    await log.append([entry(KEY, 'deleted', topic)]);
    await sink.until(() => sink.records.some((record) => textOf(record) === 'deleted'));
    await end();
    expect(sink.hints.at(-1)).toBeUndefined();
    expect(sink.records.map(textOf)).toEqual(['a', 'b', 'c', '1', '3000', 'deleted']);
  });

  it('cannot be moved by a tool while members run', async () => {
    start();
    await sink.until(() => sink.records.length === 3);
    const partitions = [{ partition: 0, offset: '0' }];
    await expect(withAdmin((admin) => admin.setOffsets({ groupId: group, topic, partitions }))).rejects.toThrow();
    await log.append([entry(KEY, 'd', topic)]);
    await sink.until(() => sink.records.length === 4);
    await end();
    expect(sink.records.map(textOf)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are done without when the coordinator does not give or take them, and that is told', async () => {
    proxy.onAnswer = (kind, answer) =>
      kind === OFFSET_FETCH.key || kind === OFFSET_COMMIT.key ? new Promise(() => undefined) : answer;
    start();
    await sink.until(() => sink.records.length === 3);
    expect(sink.hints).toEqual([undefined]);
    expect(faults).toHaveLength(1);
    await end();
    expect(faults).toHaveLength(2);
    for (const { code, retryable } of faults)
      expect({ code, retryable }).toEqual({ code: 'CONNECTION_LOST', retryable: true });
  });
});
