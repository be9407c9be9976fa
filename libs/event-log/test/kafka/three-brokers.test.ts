import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startKafka, type KafkaCluster } from '@aipx/stack';
import { RecordingHandler } from '../../src/contract/index.js';
import { AMPLE, entry, readAll, textOf } from '../../src/contract/entries.js';
import type { BrokerAddress, KafkaEventLog } from '../../src/kafka/index.js';
import { addressText, parseAddress } from '../../src/kafka/broker-address.js';
import { FETCH } from '../../src/kafka/wire/fetch.js';
import { ClusterTools } from '../support/cluster-tools.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';
import { Lanes } from '../support/lanes.js';
import { LossyProxy } from '../support/lossy-proxy.js';

const LANES = 6;
const START_MS = 180_000;
const UNKNOWN_SERVER_ERROR = -1;
/** Behind the throttle time. */
const FETCH_ERROR_AT = 4;

describe.skipIf(noKafka)(`A log on three brokers of ${ON_KAFKA}`, { timeout: 120_000 }, () => {
  const suite = new AbortController();
  let folder: string;
  let kafka: KafkaCluster;
  let topic: string;
  let log: KafkaEventLog;
  let tools: ClusterTools;
  let proxies: ReadonlyMap<string, LossyProxy>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aipx-three-brokers-'));
    kafka = await startKafka({ folder, nodes: 3, signal: suite.signal });
  }, START_MS);

  afterAll(async () => {
    suite.abort();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  }, START_MS);

  beforeEach(async () => {
    topic = ownName('market.tick');
    tools = new ClusterTools(kafka.brokers, [topic]);
    const before = kafka.brokers.map(
      async (broker) => [broker, await LossyProxy.before(parseAddress(broker))] as const,
    );
    proxies = new Map(await Promise.all(before));
    log = await openKafkaLog(throughProxies());
  });

  const throughProxies = () => ({
    brokers: kafka.brokers,
    topics: { [topic]: LANES },
    replication: 3,
    route: (address: BrokerAddress) => proxies.get(addressText(address))?.address ?? address,
  });

  const proxyOf = (node: number | undefined): LossyProxy => {
    const proxy = proxies.get(kafka.nodes.find(({ id }) => id === node)?.address ?? '');
    if (proxy === undefined) throw new Error(`no proxy stands before node ${node}`);
    return proxy;
  };

  afterEach(async () => {
    await log?.close();
    tools?.close();
    await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
  });

  it('takes no different batch of the same size for the one whose answer was lost, and stores each once', async () => {
    const batches = ['one', 'two', 'three'].map((name) =>
      Array.from({ length: 20 }, (_, n) => entry('KRW-BTC', `${name} ${n}`, topic)),
    );
    const [one = [], two = [], three = []] = batches;
    await log.append(one);
    for (const proxy of proxies.values()) proxy.fate = () => 'lost';
    await expect(log.append(two)).rejects.toMatchObject({ code: 'PUBLISH_FAILED', retryable: true });
    expect([...proxies.values()].some(({ lost }) => lost > 0)).toBe(true);
    for (const proxy of proxies.values()) proxy.fate = () => 'passes';
    await expect(log.append(three)).rejects.toMatchObject({
      code: 'PUBLISH_FAILED',
      message: expect.stringContaining('the same ones must be appended again') as string,
    });
    await log.append(two);
    await log.append(three);
    const records = await readAll(log, log.partitionFor(topic, 'KRW-BTC'), 1_000);
    expect(records.map(textOf)).toEqual(batches.flat().map(textOf));
  });

  it('loses, doubles and reorders nothing when every fourth answer is lost under load', async () => {
    let batches = 0;
    for (const proxy of proxies.values()) proxy.fate = () => ((batches += 1) % 4 === 0 ? 'lost' : 'passes');
    const lanes = new Lanes(log, topic, LANES);
    await lanes.acknowledged(30);
    await lanes.end();
    expect([...proxies.values()].reduce((sum, { lost }) => sum + lost, 0)).toBeGreaterThan(20);
    await lanes.expectInLog(log);
  });

  it('keeps a record on two brokers at least before it counts as appended, by the topics it makes', async () => {
    expect(await tools.settingOf(topic, 'min.insync.replicas')).toEqual({ value: '2', isOfTopic: true });
  });

  it('is read on from the other brokers while one of them hangs, also when another one is in trouble', async () => {
    const reader = await openKafkaLog({ ...throughProxies(), requestTimeoutMs: 600_000 });
    const leaders = await tools.leadersOf(topic, LANES);
    const [hung, troubled] = [...new Set(leaders)];
    const isHanging = Promise.withResolvers<undefined>();
    proxyOf(hung).onAnswer = (kind, answer) => {
      if (kind !== FETCH.key) return answer;
      isHanging.resolve(undefined);
      return new Promise(() => undefined);
    };
    const handler = new RecordingHandler();
    const stop = new AbortController();
    const consuming = reader.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);
    await handler.until(() => handler.assigned.length === LANES);
    await isHanging.promise;
    const isTroubled = Promise.withResolvers<undefined>();
    proxyOf(troubled).onAnswer = (kind, answer) => {
      if (kind !== FETCH.key) return answer;
      proxyOf(troubled).onAnswer = (_, passed) => passed;
      answer.writeInt16BE(UNKNOWN_SERVER_ERROR, FETCH_ERROR_AT);
      isTroubled.resolve(undefined);
      return answer;
    };
    await isTroubled.promise;
    for (let n = 0; n < 10 * LANES; n += 1) await log.append([entry(`KRW-${n}`, String(n), topic)]);
    const isReadTo = async (partition: number) => {
      const { end } = await log.range({ topic, partition });
      await handler.until(() => BigInt(handler.of({ topic, partition }).length) === end);
    };
    const [ofHung, others] = [leaders.indexOf(hung ?? 0), [...leaders.keys()].filter((at) => leaders[at] !== hung)];
    await Promise.all(others.map(isReadTo));
    expect(handler.of({ topic, partition: ofHung })).toEqual([]);
    stop.abort();
    await consuming;
    await reader.close();
  });

  // The last one: it leaves a broker down.
  it('loses, doubles and reorders nothing while leaders move: one broker is stopped, then another one killed', async () => {
    const passed = () => [...proxies.values()].reduce((sum, proxy) => sum + proxy.passed, 0);
    const leaders = () => tools.leadersOf(topic, LANES);
    const before = passed();
    const lanes = new Lanes(log, topic, LANES);
    await lanes.acknowledged(5);
    const [first, second] = kafka.nodes;
    const atFirst = await leaders();
    expect(atFirst).toContain(first?.id);
    await first?.stop();
    await lanes.acknowledged(5);
    const withoutFirst = await leaders();
    expect(withoutFirst).not.toContain(first?.id);
    await first?.start();
    await lanes.acknowledged(5);
    expect(await leaders()).toContain(second?.id);
    await second?.kill();
    await lanes.acknowledged(5);
    expect(await leaders()).not.toContain(second?.id);
    await lanes.end();
    // Writers learn of another leader by asking the one before: they had to repeat batches.
    expect(passed() - before).toBeGreaterThan(lanes.batches);
    await lanes.expectInLog(log);
  });
});
