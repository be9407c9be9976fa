import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { MarketDataError } from '@aipx/market-model';
import { entry } from '../../src/contract/entries.js';
import { Cluster, type Host } from '../../src/kafka/cluster.js';
import { noIdentity } from '../../src/kafka/publish-error.js';
import { patiently } from '../../src/kafka/waiting.js';
import { encodeBatch, sequenceAfter, stampBatch } from '../../src/kafka/wire/encode-batch.js';
import { PRODUCE } from '../../src/kafka/wire/produce.js';
import { kafkaError } from '../../src/kafka/wire/protocol.js';
import { INIT_PRODUCER_ID } from '../../src/kafka/wire/requests.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';

const OUT_OF_ORDER = 45;
const LAST_NUMBER = 2 ** 31 - 1;

describe.skipIf(noKafka)(`Sequence numbers on ${ON_KAFKA}`, () => {
  let topic: string;
  let cluster: Cluster;
  let leader: Host;

  beforeEach(async () => {
    topic = ownName('market.tick');
    await (await openKafkaLog({ topics: { [topic]: 1 } })).close();
    cluster = new Cluster({
      brokers: inject('kafka').brokers,
      topics: [topic],
      clientId: 'sequence-test',
      connectTimeoutMs: 10_000,
      requestTimeoutMs: 10_000,
      route: (address) => address,
    });
    leader = await cluster.findLeader({ topic, partition: 0 }, true);
  });

  afterEach(() => cluster.close(new MarketDataError('CONNECTION_LOST', 'the test is over')));

  /** A broker that has just come up has none to give for a moment. */
  async function newProducerId(signal: AbortSignal): Promise<bigint> {
    const ask = async () => {
      const { errorCode, producerId } = await cluster.askAny(INIT_PRODUCER_ID, { transactionTimeout: 1_000 });
      const error = kafkaError(errorCode);
      if (error !== undefined) throw noIdentity(error);
      return BigInt(producerId);
    };
    return await patiently(ask, { signal, onFault: () => undefined });
  }

  async function send(producerId: bigint, baseSequence: number, records: number): Promise<number | undefined> {
    const batch = encodeBatch(
      Array.from({ length: records }, () => entry('KRW-BTC', 'x', topic)),
      BigInt(Date.now()),
      undefined,
    );
    stampBatch(batch, { producerId, producerEpoch: 0, baseSequence });
    const body = { acks: -1 as const, timeoutMs: 5_000, batches: [{ topic, partition: 0, batch }] };
    return (await cluster.ask(leader, 'producer', PRODUCE, body))[0]?.errorCode;
  }

  it('go on at 0 behind the last one, in the midst of a batch or between two', async ({ signal }) => {
    for (const first of [LAST_NUMBER - 9, LAST_NUMBER - 19]) {
      const producerId = await newProducerId(signal);
      expect(await send(producerId, first, 20)).toBe(0);
      const next = sequenceAfter(first, 20);
      expect(next).toBe(first === LAST_NUMBER - 9 ? 10 : 0);
      expect(await send(producerId, next + 1, 5)).toBe(OUT_OF_ORDER);
      expect(await send(producerId, next, 5)).toBe(0);
    }
  });
});
