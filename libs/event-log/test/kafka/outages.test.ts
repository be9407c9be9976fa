import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MarketDataError } from '@aipx/market-model';
import { startKafka, type KafkaCluster, type KafkaNode } from '@aipx/stack';
import { RecordingHandler } from '../../src/contract/index.js';
import { AMPLE, entry, readAll, textOf } from '../../src/contract/entries.js';
import type { KafkaEventLog, KafkaEventLogOptions } from '../../src/kafka/index.js';
import { noKafka, ON_KAFKA, openKafkaLog, ownName } from '../support/kafka-log.js';
import { Lanes } from '../support/lanes.js';

const LANES = 3;
const START_MS = 120_000;

describe.skipIf(noKafka)(`A log whose broker is away, ${ON_KAFKA}`, { timeout: 90_000 }, () => {
  const suite = new AbortController();
  let folder: string;
  let kafka: KafkaCluster;
  let node: KafkaNode;
  let topic: string;
  let log: KafkaEventLog | undefined;
  let faults: MarketDataError[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'aipx-outages-'));
    kafka = await startKafka({ folder, signal: suite.signal });
    node = kafka.nodes[0] as KafkaNode;
  }, START_MS);

  afterAll(async () => {
    suite.abort();
    await kafka?.stop();
    await rm(folder, { recursive: true, force: true });
  }, START_MS);

  beforeEach(() => {
    topic = ownName('market.tick');
    faults = [];
  });

  afterEach(async () => {
    await log?.close();
    log = undefined;
  });

  const open = (options: Partial<KafkaEventLogOptions> = {}) =>
    openKafkaLog({
      brokers: kafka.brokers,
      topics: { [topic]: LANES },
      onFault: (error) => void faults.push(error),
      ...options,
    });

  it('goes on when the broker is killed and started again: what is appended and consumed is whole, once and in order', async () => {
    log = await open();
    const handler = new RecordingHandler();
    // As a sink does it: behind what it has.
    handler.beginAt = (partition) => BigInt(handler.of(partition).length);
    const stop = new AbortController();
    const consuming = log.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);
    const lanes = new Lanes(log, topic, LANES);
    await lanes.acknowledged(5);
    await handler.until(() => handler.records.length > 0);
    await node.kill();
    const failure = await lanes.failed();
    await node.start();
    await lanes.acknowledged(5);
    await lanes.end();
    await lanes.expectInLog(log);
    await handler.until(() => handler.records.length >= lanes.sent);
    stop.abort();
    await consuming;
    for (const partition of await log.partitionsOf(topic)) {
      const offsets = handler.of(partition).map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.map((_, index) => BigInt(index)));
    }
    expect(failure).toMatchObject({ code: 'PUBLISH_FAILED', retryable: true });
    expect(failure.message).toContain(node.address);
    expect(faults.map(({ message }) => message).join()).toContain(node.address);
  });

  it('goes on when the broker hangs for longer than the request timeout', async () => {
    log = await open({ requestTimeoutMs: 1_000 });
    const lanes = new Lanes(log, topic, LANES);
    await lanes.acknowledged(5);
    node.pause();
    try {
      expect((await lanes.failed()).message).toContain('does not answer');
    } finally {
      node.resume();
    }
    await lanes.acknowledged(5);
    await lanes.end();
    await lanes.expectInLog(log);
  });

  it('hands back its partitions while the broker hangs for longer than a session, and goes on when it is back', async () => {
    log = await open({ sessionTimeoutMs: 6_000 });
    const handler = new RecordingHandler();
    handler.beginAt = (partition) => BigInt(handler.of(partition).length);
    const stop = new AbortController();
    const consuming = log.consume({ group: ownName('hot'), topics: [topic], limits: AMPLE }, handler, stop.signal);
    await handler.until(() => handler.assigned.length === LANES);
    node.pause();
    try {
      await handler.until(() => handler.revoked.length === LANES);
    } finally {
      node.resume();
    }
    await handler.until(() => handler.assigned.length === 2 * LANES);
    await log.append([entry('KRW-BTC', 'one', topic)]);
    await handler.until(() => handler.records.length === 1);
    stop.abort();
    await consuming;
    expect(faults.map(({ message }) => message).join()).toContain('has not heard of this member for 6000 ms');
  });

  it('waits for the broker when it is opened, says what to check, and ends waiting with the signal', async () => {
    await node.stop();
    const told = Promise.withResolvers<MarketDataError>();
    const giveUp = new AbortController();
    const abandoned = open({ signal: giveUp.signal, onFault: told.resolve });
    expect(await told.promise).toMatchObject({
      code: 'CONNECTION_FAILED',
      retryable: true,
      message: expect.stringContaining(`${node.address}: nothing listens there`) as string,
    });
    giveUp.abort();
    await expect(abandoned).rejects.toBe(giveUp.signal.reason);
    const opening = open();
    await node.start();
    log = await opening;
    await log.append([entry('KRW-BTC', 'one', topic)]);
    expect((await readAll(log, log.partitionFor(topic, 'KRW-BTC'))).map(textOf)).toEqual(['one']);
  });
});
