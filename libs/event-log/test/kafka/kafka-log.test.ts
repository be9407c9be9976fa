import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { MarketDataError } from '@aipx/market-model';
import { AMPLE, entry, readAll, textOf } from '../../src/contract/entries.js';
import { nameOf, RecordingHandler } from '../../src/contract/recording-handler.js';
import type { OffsetRange } from '../../src/index.js';
import type { KafkaEventLog, KafkaEventLogOptions } from '../../src/kafka/index.js';
import { ClusterTools } from '../support/cluster-tools.js';
import { withAdmin } from '../support/kafkajs-admin.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';

const KEY = 'KRW-BTC';

describe.skipIf(noKafka)(`A log on ${ON_KAFKA}`, () => {
  let topic: string;
  let faults: MarketDataError[];
  let logs: KafkaEventLog[];

  beforeEach(() => {
    topic = ownName('market.tick');
    faults = [];
    logs = [];
  });

  afterEach(async () => {
    await Promise.all(logs.map((log) => log.close()));
  });

  async function open(options: Partial<KafkaEventLogOptions> = {}): Promise<KafkaEventLog> {
    const log = await openKafkaLog({ topics: { [topic]: 4 }, onFault: (error) => void faults.push(error), ...options });
    logs.push(log);
    return log;
  }

  describe('when it is opened', () => {
    it('has the cluster’s id, whichever topics it is opened with', async () => {
      const [one, other] = [await open(), await open({ topics: { [ownName('market.gap')]: 1 } })];
      expect(one.id).toMatch(/^[\w-]{22}$/);
      expect(other.id).toBe(one.id);
    });

    it('uses a topic that exists with the partitions it has, and says so', async () => {
      await open();
      expect(faults).toEqual([]);
      const log = await open({ topics: { [topic]: 6 } });
      expect(await log.partitionsOf(topic)).toHaveLength(4);
      expect(faults).toMatchObject([{ code: 'CONFIG_INVALID', context: { topic, partitions: 4 } }]);
      expect(faults[0]?.message).toContain('has 4 partitions in the cluster, not the 6');
    });

    it('refuses more replicas than there are brokers, with the number that is possible', async () => {
      await expect(open({ replication: 3 })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        retryable: false,
        message: expect.stringContaining('kept by 3 brokers, and 1 are up') as string,
      });
    });

    it('makes nothing for who only reads: names every topic that is absent, and uses the others as they are', async () => {
      await open();
      const [one, other] = [ownName('market.gap'), ownName('market.dlq')];
      await expect(open({ topics: { [topic]: 1, [one]: 1, [other]: 1 }, createTopics: false })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        retryable: false,
        message: expect.stringContaining(`no topic ${one}, ${other}, and who only reads makes none`) as string,
      });
      const topics = await withAdmin((admin) => admin.listTopics());
      expect(topics.filter((name) => [topic, one, other].includes(name))).toEqual([topic]);
      const log = await open({ topics: { [topic]: 1 }, createTopics: false });
      expect(await log.partitionsOf(topic)).toHaveLength(4);
      expect(faults).toEqual([]);
    });

    it('refuses a name that no topic can have', async () => {
      await expect(open({ topics: { 'a/b': 1 } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    });
  });

  describe('with records that are too large', () => {
    it('refuses what the broker does not take, and takes the next', async () => {
      const log = await open({ compression: 'none' });
      const large = { ...entry(KEY, '', topic), value: randomBytes(5 * 1024 * 1024) };
      await expect(log.append([large])).rejects.toMatchObject({
        code: 'PUBLISH_TOO_LARGE',
        retryable: false,
        context: { topic, broker: inject('kafka').brokers[0] },
      });
      await log.append([entry(KEY, 'small', topic)]);
      expect((await readAll(log, log.partitionFor(topic, KEY))).map(textOf)).toEqual(['small']);
    });

    it('takes a MiB of small records with their headers, uncompressed', async () => {
      const log = await open({ compression: 'none' });
      const records = Array.from({ length: 25_000 }, (_, n) => entry(KEY, `${n}`.padStart(35, '0'), topic));
      await log.append(records);
      expect((await log.range(log.partitionFor(topic, KEY))).end).toBe(25_000n);
    });

    it('refuses an append that no broker would take before anything is sent', async () => {
      const log = await open();
      const large = { ...entry(KEY, '', topic), value: Buffer.alloc(9 * 1024 * 1024) };
      await expect(log.append([entry(KEY, 'one', topic), large, large])).rejects.toMatchObject({
        code: 'PUBLISH_TOO_LARGE',
      });
      expect((await log.range(log.partitionFor(topic, KEY))).end).toBe(0n);
    });
  });

  it('says that a topic was deleted, and keeps what was to be appended for a retry', async () => {
    const log = await open({ requestTimeoutMs: 1_000 });
    await log.append([entry(KEY, 'one', topic)]);
    const tools = new ClusterTools(inject('kafka').brokers, [topic]);
    await tools.deleteTopic(topic);
    tools.close();
    // The broker lets go of it a little later than it says.
    const untilTold = async (work: () => Promise<unknown>): Promise<MarketDataError> => {
      for (;;) {
        const error = await work().then(
          () => undefined,
          (cause: MarketDataError) => cause,
        );
        if (error?.message.includes('deleted?')) return error;
      }
    };
    const two = [entry(KEY, 'two', topic)];
    expect(await untilTold(() => log.append(two))).toMatchObject({ code: 'PUBLISH_FAILED', retryable: true });
    const partition = log.partitionFor(topic, KEY);
    expect(await untilTold(() => log.range(partition))).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
  });

  describe('whose retention has taken records', () => {
    let log: KafkaEventLog;
    let tools: ClusterTools;

    beforeEach(async () => {
      log = await open();
      tools = new ClusterTools(inject('kafka').brokers, [topic]);
      for (let n = 0; n < 10; n += 1) await log.append([entry(KEY, String(n), topic)]);
    });

    afterEach(() => tools.close());

    it('reads from where it begins now, and refuses, retryable, what is gone', async () => {
      const partition = log.partitionFor(topic, KEY);
      await tools.deleteRecordsBefore(partition, 4n);
      expect(await log.range(partition)).toEqual({ begin: 4n, end: 10n });
      await expect(log.read(partition, 3n, AMPLE)).rejects.toMatchObject({ code: 'STORE_REFUSED', retryable: true });
      expect((await log.read(partition, 4n, AMPLE)).map(textOf)).toEqual(['4', '5', '6', '7', '8', '9']);
    });

    it('has the partition assigned again to a consumer that it overtakes: what is gone is never passed over', async () => {
      const partition = log.partitionFor(topic, KEY);
      const handler = new RecordingHandler();
      const ranges: OffsetRange[] = [];
      handler.beginAt = async (assigned, range) => {
        if (nameOf(assigned) !== nameOf(partition)) return range.begin;
        if (ranges.push(range) === 1) await tools.deleteRecordsBefore(partition, 5n);
        return range.begin;
      };
      const stop = new AbortController();
      const consuming = log.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);
      await handler.until(() => handler.records.length === 5);
      stop.abort();
      await consuming;
      expect(ranges).toEqual([
        { begin: 0n, end: 10n },
        { begin: 5n, end: 10n },
      ]);
      expect(handler.of(partition).map(textOf)).toEqual(['5', '6', '7', '8', '9']);
      const ofPartition = handler.calls.filter((call) => call.endsWith(nameOf(partition)));
      expect(ofPartition.slice(0, 3).map((call) => call.split(' ')[0])).toEqual(['assigned', 'revoked', 'assigned']);
      expect(faults.map(({ message }) => message).join()).toContain('nothing to read at offset 0 any more');
    });
  });

  it('ends with an error when the log is closed while it is consumed', async () => {
    const log = await open();
    const handler = new RecordingHandler();
    const options = { group: ownName('hot'), topics: [topic], limits: AMPLE };
    const consuming = expect(log.consume(options, handler, new AbortController().signal)).rejects.toMatchObject({
      code: 'STORE_REFUSED',
    });
    await handler.until(() => handler.assigned.length === 4);
    await log.close();
    await consuming;
    expect(handler.revoked).toHaveLength(4);
  });
});
