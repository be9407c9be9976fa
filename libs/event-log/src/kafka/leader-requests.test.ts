import { beforeEach, describe, expect, it } from 'vitest';
import { MarketDataError } from '@aipx/market-model';
import { LeaderRequests, type BatchOutcome } from './leader-requests.js';
import type { Api } from './wire/protocol.js';
import type { ProduceBody, ProducedBatch, ProducedPartition } from './wire/produce.js';

const TOPIC = 'market.tick';
const HOST = { node: 1, address: { host: '127.0.0.1', port: 9092 } };
const OTHER_HOST = { node: 2, address: { host: '127.0.0.1', port: 9093 } };
const MEBIBYTE = 1024 * 1024;

/** A request that waits for its answer. */
interface Asked {
  readonly partitions: readonly number[];
  readonly port: number;
  readonly answer: (partitions: readonly ProducedPartition[]) => void;
  readonly fail: (error: Error) => void;
}

/** A cluster whose answers are given by hand. */
class FakeCluster {
  readonly requestTimeoutMs = 1_000;
  readonly asked: Asked[] = [];
  isConnected = true;

  async ask<Body, Answer>(host: typeof HOST, _: string, api: Api<Body, Answer>, body: Body): Promise<Answer> {
    if (!this.isConnected) throw new MarketDataError('CONNECTION_FAILED', 'refused', { retryable: true });
    await api.encode(body);
    const { promise, resolve, reject } = Promise.withResolvers<readonly ProducedPartition[]>();
    const partitions = (body as ProduceBody).batches.map(({ partition }) => partition);
    this.asked.push({ partitions, port: host.address.port, answer: resolve, fail: reject });
    return (await promise) as Answer;
  }

  /** So many requests were written so far. */
  async requests(): Promise<readonly (readonly number[])[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.asked.map(({ partitions }) => partitions);
  }
}

function batch(partition: number, bytes = 10): ProducedBatch {
  return { topic: TOPIC, partition, batch: Buffer.alloc(bytes) };
}

function stored(...partitions: readonly number[]): readonly ProducedPartition[] {
  return partitions.map((partition) => ({ topic: TOPIC, partition, errorCode: 0 }));
}

describe('Batches for one broker', () => {
  let cluster: FakeCluster;
  let requests: LeaderRequests;

  beforeEach(() => {
    cluster = new FakeCluster();
    requests = new LeaderRequests({ cluster, purpose: 'producer', acks: -1 });
  });

  it('go in one request when they come at one moment, and each learns its own outcome', async () => {
    const outcomes = [0, 1, 2].map((partition) => requests.send(HOST, batch(partition)));
    expect(await cluster.requests()).toEqual([[0, 1, 2]]);
    cluster.asked[0]?.answer([...stored(2), { topic: TOPIC, partition: 1, errorCode: 6 }]);
    expect(await Promise.all(outcomes)).toEqual<BatchOutcome[]>([
      { isSent: true },
      { isSent: true, errorCode: 6 },
      { isSent: true, errorCode: 0 },
    ]);
  });

  it('wait for the answer to the request before, and then go together', async () => {
    const first = requests.send(HOST, batch(0));
    expect(await cluster.requests()).toEqual([[0]]);
    const later = [requests.send(HOST, batch(1)), requests.send(HOST, batch(2))];
    expect(await cluster.requests()).toEqual([[0]]);
    cluster.asked[0]?.answer(stored(0));
    await first;
    expect(await cluster.requests()).toEqual([[0], [1, 2]]);
    cluster.asked[1]?.answer(stored(1, 2));
    await Promise.all(later);
    void requests.send(HOST, batch(0));
    expect(await cluster.requests()).toEqual([[0], [1, 2], [0]]);
  });

  it('do not wait for another broker', async () => {
    void requests.send(HOST, batch(0));
    void requests.send(OTHER_HOST, batch(1));
    await cluster.requests();
    expect(cluster.asked.map(({ port, partitions }) => [port, partitions])).toEqual([
      [9092, [0]],
      [9093, [1]],
    ]);
  });

  it('make several requests when they are too large for one', async () => {
    for (const [partition, mebibytes] of [10, 7, 9, 20, 1].entries()) {
      void requests.send(HOST, batch(partition, mebibytes * MEBIBYTE));
    }
    const expected = [[0], [1, 2], [3], [4]];
    for (const [index, partitions] of expected.entries()) {
      expect((await cluster.requests()).at(-1)).toEqual(partitions);
      cluster.asked[index]?.answer(stored(...partitions));
    }
  });

  it('may be stored when their connection fails; those behind them were not sent, and learn of it at once', async () => {
    const sent = requests.send(HOST, batch(0));
    await cluster.requests();
    const behind = requests.send(HOST, batch(1));
    const failure = new MarketDataError('CONNECTION_LOST', 'closed', { retryable: true });
    cluster.asked[0]?.fail(failure);
    expect(await sent).toEqual({ isSent: true, failure });
    expect(await behind).toEqual({ isSent: false, failure });
    void requests.send(HOST, batch(1));
    expect(await cluster.requests()).toEqual([[0], [1]]);
  });

  it('go alone behind a request that failed, until one is answered: a broker may take less at once than came together', async () => {
    const first = [0, 1].map((partition) => requests.send(HOST, batch(partition)));
    await cluster.requests();
    cluster.asked[0]?.fail(new MarketDataError('CONNECTION_LOST', 'closed', { retryable: true }));
    await Promise.all(first);
    for (const partition of [0, 1, 2]) void requests.send(HOST, batch(partition));
    expect(await cluster.requests()).toEqual([[0, 1], [0]]);
    cluster.asked[1]?.answer(stored(0));
    expect(await cluster.requests()).toEqual([[0, 1], [0], [1, 2]]);
  });

  it('were not sent when there is no connection', async () => {
    cluster.isConnected = false;
    expect(await requests.send(HOST, batch(0))).toMatchObject({
      isSent: false,
      failure: { code: 'CONNECTION_FAILED' },
    });
  });
});
