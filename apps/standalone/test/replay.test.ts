import { join } from 'node:path';
import { EmbeddedEventLog } from '@aipx/event-log';
import { decodeEvent, encodeEvent, EVENT_TOPICS } from '@aipx/market-proto';
import { afterAll, describe, expect, it } from 'vitest';
import { App, runApp, temporaryFolder, type Outcome } from './support/app.js';
import { tableContents } from './support/contents.js';
import { writeRecording } from './support/recording.js';

const folder = temporaryFolder();
const recording = writeRecording(folder.path, 2_000);
const replay = (data: string, path = recording.path) => [
  ...['--frames', path, '--speed', 'max'],
  ...['--data-dir', join(folder.path, data)],
];

afterAll(() => {
  folder.remove();
});

/** Runs with `--hold`, looks into the database, and ends the run. */
async function contentsAfter(args: readonly string[]) {
  const app = new App([...args, '--hold']);
  const ready = await app.next('ready');
  await app.next('summary');
  const contents = await tableContents(String(ready['database_url']));
  app.signal('SIGINT');
  return { contents, outcome: await app.outcome };
}

/** Every record of the log as bytes, with our receive time set to 0. */
async function logBytes(data: string): Promise<readonly string[]> {
  const log = await EmbeddedEventLog.open({
    path: join(folder.path, data, 'event-log.sqlite'),
    topics: { [EVENT_TOPICS.tick]: 1, [EVENT_TOPICS.orderbook]: 1 },
  });
  const bytes: string[] = [];
  for (const kind of ['tick', 'orderbook'] as const) {
    const partition = { topic: EVENT_TOPICS[kind], partition: 0 };
    const { end } = await log.range(partition);
    for (let next = 0n; next < end;) {
      for (const record of await log.read(partition, next, { maxRecords: 1_000, maxBytes: 1 << 24 })) {
        const event = { ...decodeEvent(kind, record.value), receivedTimestamp: 0n };
        bytes.push(`${record.offset} ${record.key} ${Buffer.from(encodeEvent(event)).toString('base64')}`);
        next = record.offset + 1n;
      }
    }
  }
  await log.close();
  return bytes;
}

function numbers({ summary }: Outcome, name: string): Readonly<Record<string, number>> {
  return summary?.[name] as Readonly<Record<string, number>>;
}

describe('a replayed recording', () => {
  it('is stored once, and the same command on the same folder adds nothing', async () => {
    const first = await runApp(replay('twice'));
    expect(first.code).toBe(0);
    expect(first.summary).toMatchObject({ ok: true, sent: 2_000, frames: 2_000, received: 2_000, published: 2_000 });
    expect(numbers(first, 'hot')).toMatchObject({ tick: recording.trades, orderbook: recording.books, dlq: 0 });
    expect(numbers(first, 'cold')).toMatchObject({ rows: 2_000, gap: 0 });
    const second = await runApp(replay('twice'));
    expect(second.code).toBe(0);
    expect(second.summary).toMatchObject({ ok: true, sent: 0, frames: 0, published: 0, gaps: 0 });
    expect(numbers(second, 'hot')).toMatchObject({ tick: 0, orderbook: 0, recovered: 0 });
    expect(numbers(second, 'cold')).toMatchObject({ rows: 0, files: 0, recovered: 0 });
  });

  it('gives the same Protobuf bytes and the same tables in two runs', async () => {
    const a = await contentsAfter(replay('a'));
    const b = await contentsAfter(replay('b'));
    expect([a.outcome.code, b.outcome.code]).toEqual([0, 0]);
    expect(a.contents.ticks).toHaveLength(recording.trades);
    expect(b.contents).toEqual(a.contents);
    expect(await logBytes('b')).toEqual(await logBytes('a'));
  });

  it('takes only the chosen markets and counts the rest as ignored', async () => {
    const { code, summary } = await runApp([...replay('chosen'), '--markets', 'krw-btc,KRW-BTC']);
    expect(code).toBe(0);
    expect(summary).toMatchObject({ ok: true, frames: 2_000, published: 500 });
    expect(summary?.['venues']).toMatchObject({ upbit: { received: 500, ignored: 1_500, rejected: 0 } });
  });
});

describe('a broken frame in the middle', () => {
  it.each([
    ['a frame cut short', (line: string) => JSON.stringify({ ...JSON.parse(line), frame: '{"ty":"trade","cd":"KRW' })],
    ['a line cut short', (line: string) => line.slice(0, 60)],
    ['bytes that are no text', () => '\u0000\u0001'],
    ['a trade of price 0', (line: string) => line.replace(/(tp|trade_price)\\":[^,]+/, '$1\\":0')],
  ])('%s goes to the DLQ, the rest is stored, the exit code is 3', async (name, spoil) => {
    const spoilt = writeRecording(folder.path, 1_000, (line, index) => (index === 500 ? spoil(line) : line));
    const { code, summary } = await runApp(replay(`spoilt ${name}`, spoilt.path));
    expect(summary).toMatchObject({
      ok: true,
      sent: 1_000,
      frames: 1_000,
      received: 1_000,
      published: 999,
      dropped: { rejected: 1 },
      gaps: 1,
      hot: { tick: spoilt.trades - 1, orderbook: spoilt.books, gap: 1 },
      cold: { rows: 999, gap: 1 },
    });
    expect(code).toBe(3);
  });
});
