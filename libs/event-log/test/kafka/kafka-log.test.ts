import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { MarketDataError } from '@aipx/market-model';
import { AMPLE, entry, readAll, textOf } from '../../src/contract/entries.js';
import { nameOf, RecordingHandler } from '../../src/contract/recording-handler.js';
import type { KafkaEventLog, KafkaEventLogOptions } from '../../src/kafka/index.js';
import { parseAddress } from '../../src/kafka/broker-address.js';
import { ClusterTools } from '../support/cluster-tools.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';
import { LossyProxy } from '../support/lossy-proxy.js';

const KEY = 'KRW-BTC';
const JOIN_GROUP = 11;
/** Rebalances are noticed by heartbeats, of which a session has ten. */
const SHORT_SESSION = { sessionTimeoutMs: 6_000 };

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

    it('stops a consumer that it overtakes, instead of passing over what is gone', async () => {
      const partition = log.partitionFor(topic, KEY);
      const handler = new RecordingHandler();
      handler.beginAt = async (assigned, range) => {
        if (nameOf(assigned) === nameOf(partition)) await tools.deleteRecordsBefore(partition, 5n);
        return range.begin;
      };
      const options = { group: ownName('hot'), topics: [topic], limits: AMPLE };
      await expect(log.consume(options, handler, new AbortController().signal)).rejects.toMatchObject({
        code: 'STORE_REFUSED',
        retryable: true,
        message: expect.stringContaining('has offsets from 5 to 10') as string,
      });
      expect(handler.records).toEqual([]);
      expect(handler.revoked.map(nameOf).sort()).toEqual(handler.assigned.map(nameOf).sort());
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

  it('ends at once when the signal aborts while the group still waits for another member', async () => {
    const proxy = await LossyProxy.before(parseAddress(inject('kafka').brokers[0] ?? ''));
    const [one, other] = [await open(), await open({ route: () => proxy.address })];
    const options = { group: ownName('hot'), topics: [topic], limits: AMPLE };
    const [busy, late] = [new RecordingHandler(), new RecordingHandler()];
    const release = Promise.withResolvers<undefined>();
    busy.onBatch = () => release.promise;
    const [stop, stopLate] = [new AbortController(), new AbortController()];
    await one.append([entry(KEY, 'one', topic)]);
    const first = one.consume(options, busy, stop.signal);
    await busy.until(() => busy.records.length === 1);
    // It is given a name first; then it waits until all others have handed back what they had.
    const isWaiting = Promise.withResolvers<undefined>();
    let joins = 0;
    proxy.onRequest = (apiKey) => {
      if (apiKey === JOIN_GROUP && (joins += 1) === 2) isWaiting.resolve(undefined);
    };
    const second = other.consume(options, late, stopLate.signal);
    await isWaiting.promise;
    stopLate.abort();
    await second;
    expect(late.calls).toEqual([]);
    release.resolve(undefined);
    stop.abort();
    await first;
    await other.close();
    await proxy.close();
  });

  it('shares partitions between the members of a group, each revoked before it is somebody else’s', async () => {
    const [one, other] = [await open(SHORT_SESSION), await open(SHORT_SESSION)];
    const group = ownName('hot');
    const owners = new Map<string, string>();
    const member = (name: string) => {
      const handler = new RecordingHandler();
      const assign = handler.onAssigned.bind(handler);
      handler.onAssigned = async (partition, range) => {
        expect(owners.get(nameOf(partition)) ?? 'nobody').toBe('nobody');
        owners.set(nameOf(partition), name);
        return await assign(partition, range);
      };
      const revoke = handler.onRevoked.bind(handler);
      handler.onRevoked = async (partition) => {
        owners.delete(nameOf(partition));
        await revoke(partition);
      };
      return handler;
    };
    const [first, second] = [member('first'), member('second')];
    const options = { group, topics: [topic], limits: AMPLE };
    const [stopFirst, stopSecond] = [new AbortController(), new AbortController()];
    const consuming = [one.consume(options, first, stopFirst.signal)];
    await first.until(() => first.assigned.length === 4);
    consuming.push(other.consume(options, second, stopSecond.signal));
    await second.until(() => second.assigned.length === 2);
    await first.until(() => first.assigned.length === 6);
    expect([...owners.values()].sort()).toEqual(['first', 'first', 'second', 'second']);
    stopFirst.abort();
    await second.until(() => second.assigned.length === 6);
    expect([...owners.values()]).toEqual(['second', 'second', 'second', 'second']);
    stopSecond.abort();
    await Promise.all(consuming);
    expect(owners.size).toBe(0);
  });

  it('goes on with less to do when there are more members than partitions', async () => {
    topic = ownName('market.gap');
    const settings = { ...SHORT_SESSION, topics: { [topic]: 1 } };
    const [one, other] = [await open(settings), await open(settings)];
    const options = { group: ownName('hot'), topics: [topic], limits: AMPLE };
    const [first, second] = [new RecordingHandler(), new RecordingHandler()];
    const stop = new AbortController();
    const consuming = [one.consume(options, first, stop.signal)];
    await first.until(() => first.assigned.length === 1);
    consuming.push(other.consume(options, second, stop.signal));
    await Promise.race([
      first.until(() => first.assigned.length === 2),
      second.until(() => second.assigned.length === 1),
    ]);
    await one.append([entry(KEY, 'one', topic)]);
    await Promise.race([first, second].map((each) => each.until(() => each.records.length > 0)));
    stop.abort();
    await Promise.all(consuming);
    expect([...first.records, ...second.records].map(textOf)).toEqual(['one']);
  });
});
