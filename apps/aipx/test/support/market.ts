import { randomBytes } from 'node:crypto';
import type { EventLog, LogEntry } from '@aipx/event-log';
import { LakeStore, ParquetWorker, type ObjectStore } from '@aipx/lake';
import { parseDecimal, type MarketEvent } from '@aipx/market-model';
import { encodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import { ColdRecorder, HotRecorder, RecordingPipeline } from '@aipx/recording';
import { TimescaleStore, type DatabaseAddress } from '@aipx/timescale';

/** 2024-05-01T13:59:50Z: ten seconds to the next hour. */
const START = 1_714_571_990_000_000_000n;
const SECOND = 1_000_000_000n;
const SYMBOLS = ['KRW-BTC', 'KRW-ETH', 'BTC-ETH'];

/** Trades and books in turn, a second apart, over an hour's end. */
export function market(count: number): LogEntry[] {
  return Array.from({ length: count }, (_, n) => entryOf(n % 2 === 0 ? trade(n) : book(n)));
}

function trade(n: number): MarketEvent {
  return {
    kind: 'tick',
    exchange: 'upbit',
    symbol: SYMBOLS[n % 3] ?? '',
    price: parseDecimal(`${97_000_000 + n}.5`),
    volume: parseDecimal('0.00012345'),
    timestamp: START + BigInt(n) * SECOND,
    change: parseDecimal('-1200000'),
    changeRate: undefined,
    side: 'BUY',
    tradeId: String(17_145_719_900_000_000n + BigInt(n)),
    receivedTimestamp: START + BigInt(n) * SECOND + 1_234_567n,
    streamType: 'REALTIME',
  };
}

function book(n: number): MarketEvent {
  return {
    kind: 'orderbook',
    exchange: 'upbit',
    symbol: SYMBOLS[n % 3] ?? '',
    bids: [{ price: parseDecimal('96999000'), quantity: parseDecimal('0.5') }],
    asks: [{ price: parseDecimal('97000000'), quantity: parseDecimal('0.00000001') }],
    timestamp: START + BigInt(n) * SECOND,
    receivedTimestamp: START + BigInt(n) * SECOND,
    streamType: 'REALTIME',
    totalBidQuantity: parseDecimal('1.75'),
    totalAskQuantity: undefined,
  };
}

function entryOf(event: MarketEvent): LogEntry {
  const topic = EVENT_TOPICS[event.kind];
  return { topic, key: event.symbol, value: encodeEvent(event), headers: { exchange: event.exchange } };
}

/** Runs both recorders until everything in the log is stored. */
export async function record(log: EventLog, address: DatabaseAddress, objects: ObjectStore): Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  const encoder = await ParquetWorker.start();
  const store = new TimescaleStore(address);
  const group = randomBytes(4).toString('hex');
  const recorders = [
    new HotRecorder({ log, store, signal }),
    new ColdRecorder({ log, store: new LakeStore({ objects, log, encoder }), signal }),
  ];
  const pipelines = recorders.map((recorder) => {
    const topics = Object.values(EVENT_TOPICS);
    return new RecordingPipeline({ log, recorder, group: `${group}-${recorder.name}`, topics });
  });
  const running = pipelines.map((pipeline) => pipeline.run(signal));
  const limit = AbortSignal.timeout(60_000);
  await Promise.all(pipelines.map((pipeline) => pipeline.ready(limit)));
  await Promise.all(pipelines.map((pipeline) => pipeline.drain(limit)));
  stop.abort();
  await Promise.all(running);
  await store.close();
  await encoder.close();
}
