import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { fetchKafka } from '../src/kafka/fetch.js';
import { kafkaUnavailable, startKafka, type KafkaCluster, type KafkaNode, type KafkaOptions } from '../src/index.js';
import { temporaryFolder, testFolder, type TemporaryFolder } from './support/folders.js';
import { createTopic, describeCluster } from './support/kafka-client.js';
import { holdServer, isAlive } from './support/processes.js';

const { signal } = new AbortController();
const missing = kafkaUnavailable();
const PATIENT = { timeout: 60_000 };

async function start(options: Omit<KafkaOptions, 'signal'>): Promise<KafkaCluster> {
  const cluster = await startKafka({ ...options, signal });
  onTestFinished(() => cluster.stop());
  return cluster;
}

function nodeOf(cluster: KafkaCluster, index = 0): KafkaNode {
  const node = cluster.nodes[index];
  if (node === undefined) throw new Error(`there is no node ${index}`);
  return node;
}

describe.skipIf(missing !== undefined)(`Kafka${missing === undefined ? '' : ` (${missing})`}`, () => {
  beforeAll(() => fetchKafka(signal, () => undefined));

  describe('with one node', () => {
    let folder: TemporaryFolder;
    let cluster: KafkaCluster;
    let node: KafkaNode;
    let clusterId: string | null;

    beforeAll(async () => {
      folder = await temporaryFolder();
      cluster = await startKafka({ folder: folder.path, signal });
      node = nodeOf(cluster);
      ({ clusterId } = await describeCluster(node.address, 'none'));
      await createTopic(node.address, 'kept', 2, 1);
    });

    afterAll(async () => {
      await cluster?.stop();
      await folder?.remove();
    });

    it('answers when its start is over, makes no topics by itself and writes its log to a file', async () => {
      expect(cluster.brokers).toEqual([node.address]);
      expect(await describeCluster(node.address, 'none')).toEqual({
        clusterId: expect.stringMatching(/^[\w-]{22}$/) as string,
        brokers: [{ id: 1, address: node.address }],
        topic: undefined,
      });
      expect(await readFile(join(folder.path, 'node-1', 'broker.log'), 'utf8')).toContain('Kafka Server started');
    });

    it('lets one process at a time have its folder and its port', async () => {
      await expect(startKafka({ folder: folder.path, signal })).rejects.toMatchObject({
        code: 'CONFIG_DATA_DIR_IN_USE',
        message: expect.stringContaining(`in use by process ${process.pid}`) as string,
      });
      const port = Number(node.address.split(':')[1]);
      await expect(startKafka({ folder: await testFolder(), ports: [port], signal })).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: `kafka-1 cannot start: port ${port} of 127.0.0.1 is taken; give another`,
      });
    });

    it('is silent while it is paused', async () => {
      node.pause();
      const answer = describeCluster(node.address, 'none');
      expect(await Promise.race([answer, sleep(300, 'silent')])).toBe('silent');
      node.resume();
      expect((await answer).brokers).toHaveLength(1);
    });

    it('has its topics, address and cluster id again after a kill', async () => {
      const before = node.pid ?? 0;
      await node.kill();
      expect(node.pid).toBeUndefined();
      expect(await isAlive(before)).toBe(false);
      await node.start();
      expect(node.pid).not.toBe(before);
      const kept = { clusterId, topic: { leaders: [1, 1], inSync: [[1], [1]] } };
      await expect.poll(() => describeCluster(node.address, 'kept'), PATIENT).toMatchObject(kept);
    });

    it('leaves no process after a stop, even a paused one, and can be started in its folder again', async () => {
      const before = node.pid ?? 0;
      node.pause();
      await cluster.stop();
      expect(await isAlive(before)).toBe(false);
      const addresses = cluster.brokers;
      cluster = await startKafka({ folder: folder.path, signal });
      node = nodeOf(cluster);
      expect(cluster.brokers).toEqual(addresses);
      expect(await describeCluster(node.address, 'kept')).toMatchObject({ clusterId, topic: { leaders: [1, 1] } });
      await expect(startKafka({ folder: folder.path, nodes: 3, signal })).rejects.toThrow('in use');
      await cluster.stop();
      await expect(startKafka({ folder: folder.path, nodes: 3, signal })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining('has 1 nodes, and 3 are asked for') as string,
      });
    });
  });

  it('says what the broker wrote when it cannot start, and gives the folder free', async () => {
    const folder = await testFolder();
    const fault = {
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('offsets.topic.num.partitions') as string,
    };
    for (const value of ['0', '-1']) {
      const properties = { 'offsets.topic.num.partitions': value };
      await expect(startKafka({ folder, signal, properties })).rejects.toMatchObject(fault);
    }
  });

  it('refuses ports that do not fit its nodes', async () => {
    const start = startKafka({ folder: await testFolder(), nodes: 3, ports: [19_092], signal });
    await expect(start).rejects.toThrow('3 Kafka nodes need 3 ports, and 1 are given');
  });

  it('ends the broker that a killed process left behind, and goes on with its data', async () => {
    const folder = await testFolder();
    const holder = await holdServer('kafka', 'worker', folder);
    await holder.kill();
    expect(await isAlive(holder.serverPid)).toBe(true);
    const node = nodeOf(await start({ folder }));
    expect(await isAlive(holder.serverPid)).toBe(false);
    expect((await describeCluster(node.address, 'none')).clusterId).toBe(holder.identity);
  });

  it('forms one cluster of three nodes that loses one, works on, and takes it back', async () => {
    const cluster = await start({ folder: await testFolder(), nodes: 3 });
    const ids = [1, 2, 3];
    for (const { address } of cluster.nodes) {
      const { brokers } = await describeCluster(address, 'none');
      expect(brokers.map(({ id }) => id).toSorted()).toEqual(ids);
    }
    await createTopic(nodeOf(cluster).address, 'before', 3, 3);
    await nodeOf(cluster, 1).kill();
    const survivor = nodeOf(cluster, 2).address;
    const leaders = async () => (await describeCluster(survivor, 'before')).topic?.leaders.toSorted();
    await expect.poll(async () => (await leaders())?.filter((id) => id === 1 || id === 3), PATIENT).toHaveLength(3);
    await createTopic(survivor, 'meanwhile', 1, 2);

    await nodeOf(cluster, 1).start();
    const inSync = async () => (await describeCluster(survivor, 'before')).topic?.inSync.map((set) => set.toSorted());
    await expect.poll(inSync, PATIENT).toEqual([ids, ids, ids]);
    const returned = nodeOf(cluster, 1).address;
    await expect.poll(async () => (await describeCluster(returned, 'meanwhile')).topic, PATIENT).toBeDefined();
  });
});
