import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry } from '@aipx/event-log';
import { KafkaEventLog } from '@aipx/event-log/kafka';
import type { MarketEvent } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { entryOf, SimulatedInput } from '../input.ts';
import type { ProducerResult, ProducerTask } from './producer.ts';

// Sends the recorded mix at a fixed rate. The events are made beforehand, and each is sent again and again with a time and an
// id of its own: making them anew would take the cores that the recorder is to have.

const EVENTS = { tick: 20_000, orderbook: 10_000 } as const;
/** Six of ten records are trades. */
const MIX = [
  'tick',
  'orderbook',
  'tick',
  'tick',
  'orderbook',
  'tick',
  'orderbook',
  'tick',
  'orderbook',
  'tick',
] as const;
const SEND_EVERY_MS = 20;
/** Of one append, when it is late. */
const MOST_RECORDS = 2_000;
const REQUEST_TIMEOUT_MS = 60_000;

const [task] = (await once(process, 'message')) as [ProducerTask];
process.on('disconnect', () => process.exit());

const input = new SimulatedInput();
const events = { tick: eventsOf('tick'), orderbook: eventsOf('orderbook') };
const sent = { tick: 0, orderbook: 0 };
const log = await KafkaEventLog.open({
  brokers: task.brokers,
  clientId: 'recorder-bench-producer',
  topics: Object.fromEntries(Object.values(EVENT_TOPICS).map((topic) => [topic, task.partitions])),
  replication: 1,
  compression: 'zstd',
  acks: 'all',
  requestTimeoutMs: REQUEST_TIMEOUT_MS,
  signal: new AbortController().signal,
});
process.on('message', () => {
  void send().then((result) => process.send?.(result));
});
process.send?.('ready');

function eventsOf(kind: keyof typeof EVENTS): readonly MarketEvent[] {
  return input.events(kind, Math.min(EVENTS[kind], task.records));
}

/** Those that are late are sent all the same. */
async function send(): Promise<ProducerResult> {
  const { rate, records } = task;
  const startedAt = performance.now();
  for (let made = 0; made < records;) {
    const due = Math.floor(((performance.now() - startedAt) * rate) / 1_000);
    const count = Math.min(due, records, made + MOST_RECORDS) - made;
    if (count > 0) await log.append(Array.from({ length: count }, (_, index) => nextEntry(made + index)));
    made += count;
    if (made < due) continue;
    await sleep(SEND_EVERY_MS);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  await log.close();
  return { sent, heldRate: records / seconds };
}

function nextEntry(index: number): LogEntry {
  const kind = MIX[index % MIX.length] ?? 'tick';
  const number = sent[kind];
  sent[kind] += 1;
  const event = events[kind][number % events[kind].length];
  if (event === undefined) throw new Error(`no ${kind} to send`);
  return entryOf(asNew(event, number));
}

function asNew(event: MarketEvent, number: number): MarketEvent {
  if (event.kind === 'gap') return event;
  // No two alike, as the venue's own: its clock counts milliseconds.
  const timestamp = BigInt(Date.now()) * 1_000_000n;
  const times = { timestamp, receivedTimestamp: timestamp + 5_000_000n };
  return event.kind === 'tick' ? { ...event, ...times, tradeId: String(number) } : { ...event, ...times };
}
