import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Gap, MarketEvent } from '@aipx/market-model';
import { encodeEvent, EVENT_SCHEMAS, EVENT_TOPICS } from '@aipx/market-proto';
import { upbitDriver } from '@aipx/venue-upbit';
import { upbitSimulator } from '@aipx/venue-upbit/simulator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJournal } from './journal.ts';
import { KafkaReader } from './kafka-records.ts';
import type { KafkaMessage } from './kcat.ts';

const SYMBOLS = ['KRW-BTC', 'KRW-SHIB', 'BTC-DGB', 'USDT-PEPE'];
const RECEIVED_AT = 1_700_000_000_123_456_789n;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingestion-audit-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Simulated {
  readonly symbol: string;
  readonly channel: string;
  readonly snapshot: boolean;
  readonly reference: string;
  readonly frame: Uint8Array;
}

/** Snapshots, then a few hundred frames, as a client sees them that asks as the product does, or in the other format. */
function simulated(format: string): readonly Simulated[] {
  const client = { control: () => undefined, close: () => undefined, later: () => undefined };
  const connection = upbitSimulator.accept(client, new Set(SYMBOLS));
  const streams = [
    { type: 'trade', codes: SYMBOLS },
    { type: 'orderbook', codes: SYMBOLS.map((symbol) => `${symbol}.15`) },
  ];
  connection.onText(JSON.stringify([{ ticket: 't' }, ...streams, { format }]));
  let counter = 0;
  const market = upbitSimulator.market({
    seed: 3,
    now: () => 1_700_000_000_000 + counter,
    nextStamp: () => ({ millis: 1_700_000_000_000, counter: (counter += 1) }),
  });
  const events = [
    ...connection.takeSnapshotRequests().map((stream) => () => market.snapshot(stream)),
    ...Array.from({ length: 50 }, () => connection.streams.map((stream) => () => market.next(stream))).flat(),
  ];
  return events.flatMap((next) => {
    const event = next();
    return event === undefined ? [] : [{ ...event, frame: connection.frame(event) ?? new Uint8Array() }];
  });
}

/** What the product makes of a frame. */
function published(frames: readonly Simulated[]): readonly MarketEvent[] {
  const subscriptions = SYMBOLS.flatMap((symbol) =>
    (['tick', 'orderbook'] as const).map((channel) => ({ symbol, channel })),
  );
  const session = upbitDriver.openSession({ subscriptions, bookDepth: 15, connectionId: 'c' });
  return frames.map(({ frame }) => {
    const reading = session.read(frame, RECEIVED_AT);
    const record = reading.kind === 'data' ? reading.records[0] : undefined;
    if (record?.outcome !== 'event') throw new Error('a simulated frame was not taken');
    return record.event;
  });
}

function messageOf(event: MarketEvent, offset: number): KafkaMessage {
  return {
    topic: EVENT_TOPICS[event.kind],
    partition: 0,
    offset,
    key: event.symbol,
    headers: `exchange=upbit,schema=${EVENT_SCHEMAS[event.kind]},content-type=application/x-protobuf`,
    value: encodeEvent(event),
  };
}

function read(...messages: readonly KafkaMessage[]): KafkaReader {
  const reader = new KafkaReader('upbit');
  for (const message of messages) reader.take(message);
  return reader;
}

describe('the auditor’s own readers', () => {
  it.each(['SIMPLE', 'DEFAULT'])(
    'agree on what the venue sent and what the product published, in %s',
    async (format) => {
      const frames = simulated(format);
      const path = join(folder, 'journal.jsonl');
      const lines = frames.map(({ symbol, channel, snapshot, reference, frame }, at) =>
        JSON.stringify({
          seq: at + 1,
          sent_at_ns: '1700000000000000000',
          connection: 'c1',
          symbol,
          channel,
          snapshot,
          ref: reference,
          frame: Buffer.from(frame).toString('utf8'),
        }),
      );
      await writeFile(path, `${lines.join('\n')}\n`);
      const { sent } = await readJournal(path);
      const { records, faults } = read(...published(frames).map(messageOf));
      expect(faults).toEqual([]);
      expect(records).toHaveLength(408);
      const common = ({ symbol, channel, reference, isSnapshot, content }: (typeof sent | typeof records)[number]) => ({
        symbol,
        channel,
        reference,
        isSnapshot,
        content,
      });
      expect(records.map(common)).toEqual(sent.map(common));
      expect(new Set(records.map(({ receivedAt }) => receivedAt))).toEqual(new Set([RECEIVED_AT]));
      expect(sent.map(({ reference }) => reference)).toEqual(frames.map(({ reference }) => reference));
    },
  );

  it('read every field of a gap', () => {
    const gap: Gap = {
      kind: 'gap',
      exchange: 'upbit',
      symbol: 'KRW-BTC',
      channel: 'orderbook',
      from: 1_700_000_000_000_000_001n,
      to: 1_700_000_000_000_000_009n,
      cause: 'BUFFER',
      missed: 300n,
      missedVolume: undefined,
      detail: 'no room',
    };
    const { gaps, faults } = read(messageOf(gap, 7));
    expect(faults).toEqual([]);
    const { from, to, missed } = gap;
    expect(gaps).toEqual([
      { symbol: 'KRW-BTC', channel: 'orderbook', partition: 0, offset: 7, from, to, cause: 'BUFFER', missed },
    ]);
  });
});

describe('a record in Kafka', () => {
  const sound = (): KafkaMessage => {
    const [event] = published(simulated('SIMPLE'));
    if (event === undefined) throw new Error('nothing was simulated');
    return messageOf(event, 1);
  };

  it.each<[string, (message: KafkaMessage) => KafkaMessage, string]>([
    ['a wrong key', (message) => ({ ...message, key: 'KRW-ETH' }), 'has the key KRW-ETH; its symbol is KRW-BTC'],
    ['no headers', (message) => ({ ...message, headers: '' }), 'has the headers ; expected exchange=upbit,schema='],
    ['another schema', (message) => ({ ...message, topic: 'market.orderbook' }), 'has the headers'],
    ['bytes cut off', (message) => ({ ...message, value: message.value.subarray(0, -1) }), 'ends'],
  ])('with %s is named by its place', (_, change, says) => {
    const { faults } = read(change(sound()));
    expect(faults[0]).toMatch(/^market\.\w+\/0\/1 /);
    expect(faults[0]).toContain(says);
  });

  it('in the topic of dead letters is counted', () => {
    expect(read({ ...sound(), topic: 'market.dlq' }).deadLetters).toBe(1);
  });
});
