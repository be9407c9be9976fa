import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { MarketDataError } from '@aipx/market-model';
import { AMPLE, entry, textOf, untilAborted } from '../../src/contract/entries.js';
import { nameOf, RecordingHandler } from '../../src/contract/recording-handler.js';
import type { KafkaEventLog, KafkaEventLogOptions } from '../../src/kafka/index.js';
import { parseAddress } from '../../src/kafka/broker-address.js';
import { kafkajsApi } from '../../src/kafka/wire/protocol.js';
import { JOIN_GROUP } from '../../src/kafka/wire/requests.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';
import { deleteTopic, withAdmin } from '../support/kafkajs-admin.js';
import { LossyProxy } from '../support/lossy-proxy.js';

const KEY = 'KRW-BTC';
/** Rebalances are noticed by heartbeats, of which a session has ten. */
const SHORT_SESSION = { sessionTimeoutMs: 6_000 };
/** Far more than a stop takes with brokers that hang (3 s), and far less than what it would wait for them. */
const STOP_MS = 20_000;
/** Far more than it takes to hear of a rebalance, and less than the 60 s after which a group goes on without a member. */
const HANDED_BACK_MS = 45_000;
const NEVER = new Promise<never>(() => undefined);

describe.skipIf(noKafka)(`A group on ${ON_KAFKA}`, () => {
  let topic: string;
  let faults: MarketDataError[];
  let logs: KafkaEventLog[];
  let proxy: LossyProxy;
  let handler: RecordingHandler;
  let stop: AbortController;

  beforeEach(async () => {
    topic = ownName('market.tick');
    faults = [];
    logs = [];
    proxy = await LossyProxy.before(parseAddress(inject('kafka').brokers[0] ?? ''));
    handler = new RecordingHandler();
    stop = new AbortController();
  });

  afterEach(async () => {
    stop.abort();
    await Promise.all(logs.map((log) => log.close()));
    await proxy.close();
  });

  async function open(options: Partial<KafkaEventLogOptions> = {}): Promise<KafkaEventLog> {
    const log = await openKafkaLog({ topics: { [topic]: 4 }, onFault: (error) => void faults.push(error), ...options });
    logs.push(log);
    return log;
  }

  const throughProxy = (options: Partial<KafkaEventLogOptions> = {}) =>
    open({ route: () => proxy.address, requestTimeoutMs: 60_000, ...options });

  const membersOf = (group: string) =>
    withAdmin(async (admin) => (await admin.describeGroups([group])).groups.flatMap(({ members }) => members));

  it('is left in seconds when all brokers hang while it is consumed', async () => {
    const log = await throughProxy();
    await log.append([entry(KEY, 'one', topic)]);
    const consuming = log.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);
    await handler.until(() => handler.records.length === 1);
    proxy.onAnswer = () => NEVER;
    const stoppedAt = performance.now();
    stop.abort();
    await consuming;
    await log.close();
    expect(performance.now() - stoppedAt).toBeLessThan(STOP_MS);
    expect(handler.revoked).toHaveLength(4);
  });

  it.each(['GroupCoordinator', 'JoinGroup', 'SyncGroup'])(
    'is left in seconds when all brokers hang from %s on while it is joined',
    async (name) => {
      const log = await throughProxy();
      const isHanging = Promise.withResolvers<undefined>();
      const { key } = kafkajsApi(name);
      let hangs = false;
      proxy.onAnswer = (kind, answer) => {
        hangs ||= kind === key;
        if (!hangs) return answer;
        isHanging.resolve(undefined);
        return NEVER;
      };
      const consuming = log.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);
      await isHanging.promise;
      const stoppedAt = performance.now();
      stop.abort();
      await consuming;
      expect(performance.now() - stoppedAt).toBeLessThan(STOP_MS);
      expect(handler.calls).toEqual([]);
    },
  );

  it('keeps no member that was stopped while its name was on the way', async () => {
    const log = await throughProxy();
    const group = ownName('hot');
    const isNamed = Promise.withResolvers<undefined>();
    const mayPass = Promise.withResolvers<undefined>();
    proxy.onAnswer = async (kind, answer) => {
      if (kind === JOIN_GROUP.key) {
        isNamed.resolve(undefined);
        await mayPass.promise;
      }
      return answer;
    };
    const consuming = log.consume({ group, topics: [topic], limits: AMPLE }, handler, stop.signal);
    await isNamed.promise;
    stop.abort();
    mayPass.resolve(undefined);
    await consuming;
    expect(await membersOf(group)).toEqual([]);
    expect(faults).toEqual([]);
    // A name that was not given back would be waited for until its session ends, 30 s.
    const next = new AbortController();
    const joining = log.consume({ group, topics: [topic], limits: AMPLE }, handler, next.signal);
    const joinedAt = performance.now();
    await handler.until(() => handler.assigned.length === 4);
    expect(performance.now() - joinedAt).toBeLessThan(20_000);
    next.abort();
    await joining;
  });

  it('is shared out by what topics are now: one that is missing is waited for, never left without a reader', async () => {
    const isTold = Promise.withResolvers<undefined>();
    const log = await open({
      onFault: ({ message }) => {
        if (message.includes(`waits for topic ${topic}`)) isTold.resolve(undefined);
      },
    });
    await deleteTopic(topic);
    const consuming = log.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);
    await isTold.promise;
    expect(handler.calls).toEqual([]);
    await open({ topics: { [topic]: 6 } });
    await handler.until(() => handler.assigned.length === 6);
    stop.abort();
    await consuming;
  });

  it('takes up partitions that are added while it runs', async () => {
    const log = await open({ metadataMaxAgeMs: 200 });
    const consuming = log.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);
    await handler.until(() => handler.assigned.length === 4);
    await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 6 }] }));
    await handler.until(() => new Set(handler.assigned.map(nameOf)).size === 6);
    expect(await log.partitionsOf(topic)).toHaveLength(6);
    const writer = await open();
    for (let n = 0; n < 30; n += 1) await writer.append([entry(`K${n}`, 'x', topic)]);
    await handler.until(() => handler.records.length === 30);
    expect(new Set(handler.records.map(({ partition }) => partition)).has(5)).toBe(true);
    expect(await log.range({ topic, partition: 5 })).toEqual(await writer.range({ topic, partition: 5 }));
    stop.abort();
    await consuming;
  });

  it('ends at once when the signal aborts while the group still waits for another member', async () => {
    const [one, other] = [await open(), await open({ route: () => proxy.address })];
    const options = { group: ownName('hot'), topics: [topic], limits: AMPLE };
    const [busy, late] = [new RecordingHandler(), new RecordingHandler()];
    const release = Promise.withResolvers<undefined>();
    busy.onBatch = () => release.promise;
    const stopLate = new AbortController();
    await one.append([entry(KEY, 'one', topic)]);
    const first = one.consume(options, busy, stop.signal);
    await busy.until(() => busy.records.length === 1);
    // It is given a name first; then it waits until all others have handed back what they had.
    const isWaiting = Promise.withResolvers<undefined>();
    let joins = 0;
    proxy.onRequest = (apiKey) => {
      if (apiKey === JOIN_GROUP.key && (joins += 1) === 2) isWaiting.resolve(undefined);
    };
    const second = other.consume(options, late, stopLate.signal);
    await isWaiting.promise;
    stopLate.abort();
    await second;
    expect(late.calls).toEqual([]);
    release.resolve(undefined);
    stop.abort();
    await first;
  });

  it('shares partitions between the members of a group, each revoked before it is somebody else’s', async () => {
    const [one, other] = [await open(SHORT_SESSION), await open(SHORT_SESSION)];
    const group = ownName('hot');
    const owners = new Map<string, string>();
    const member = (name: string) => {
      const handler = new RecordingHandler();
      const assign = handler.onAssigned.bind(handler);
      handler.onAssigned = async (partition, ...rest) => {
        expect(owners.get(nameOf(partition)) ?? 'nobody').toBe('nobody');
        owners.set(nameOf(partition), name);
        return await assign(partition, ...rest);
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

  it.each(['onAssigned', 'onRecords'] as const)(
    'does not wait for what %s of a member waits for: its signal ends that when others join',
    async (call) => {
      const [one, other] = [await open(SHORT_SESSION), await open(SHORT_SESSION)];
      const options = { group: ownName('hot'), topics: [topic], limits: AMPLE };
      const [stuck, second] = [new RecordingHandler(), new RecordingHandler()];
      const isWaiting = Promise.withResolvers<undefined>();
      const waitForStore = (signal: AbortSignal) => {
        isWaiting.resolve(undefined);
        return untilAborted(signal);
      };
      if (call === 'onAssigned') stuck.beginAt = (_, __, ___, signal) => waitForStore(signal);
      else stuck.onBatch = (_, __, signal) => waitForStore(signal);
      await one.append([entry(KEY, 'one', topic)]);
      const first = one.consume(options, stuck, stop.signal);
      await isWaiting.promise;
      const joinedAt = performance.now();
      const joined = other.consume(options, second, stop.signal);
      await second.until(() => second.assigned.length === 2);
      expect(performance.now() - joinedAt).toBeLessThan(HANDED_BACK_MS);
      expect(faults).toEqual([]);
      stop.abort();
      await Promise.all([first, joined]);
    },
  );

  it('goes on with less to do when there are more members than partitions', async () => {
    topic = ownName('market.gap');
    const settings = { ...SHORT_SESSION, topics: { [topic]: 1 } };
    const [one, other] = [await open(settings), await open(settings)];
    const options = { group: ownName('hot'), topics: [topic], limits: AMPLE };
    const [first, second] = [new RecordingHandler(), new RecordingHandler()];
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
