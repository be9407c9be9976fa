import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Gap, MarketEvent, Tick } from '@aipx/market-model';
import { kafkaUnavailable } from '@aipx/stack';
import { describe, expect, inject, it } from 'vitest';
import { RunningApp } from './support/app.js';
import { MANY, startKis, testFolder } from './support/kis.js';
import { startMarket } from './support/market.js';
import { Topics } from './support/topics.js';

const broker = inject('broker') ?? '';
const missing = kafkaUnavailable();
const why = missing === undefined ? '' : ` (needs Kafka: ${missing})`;

interface JournalLine {
  readonly symbol: string;
  readonly channel: string;
  readonly ref: string;
  readonly records?: readonly { readonly volume: number; readonly cumulative: number; readonly fate: string }[];
}

describe.skipIf(missing !== undefined)(`KIS beside another venue${why}`, () => {
  it('ends in Kafka as it was sent, by as many sessions as the streams take', async () => {
    const folder = testFolder();
    const journals = { kis: join(folder, 'kis.jsonl'), upbit: join(folder, 'upbit.jsonl') };
    const source = { kind: 'market', seed: 1, rate: 300, symbols: MANY } as const;
    const kis = await startKis({ source, journal: { path: journals.kis } });
    const upbit = await startMarket({ journal: { path: journals.upbit } });
    const { KIS_API_KEY, KIS_API_SECRET, ...settings } = kis.settings;
    const accounts = join(folder, 'accounts');
    const lines = [`main ${KIS_API_KEY} ${KIS_API_SECRET}`, `second ${KIS_API_KEY}2 ${KIS_API_SECRET}`];
    await writeFile(accounts, `# two keys\n${lines.join('\n')}\n`, { mode: 0o600 });
    const topics = await Topics.open(broker);
    const app = new RunningApp({
      ...upbit.settings,
      ...settings,
      MARKETS: [...MANY.map((code) => `kis:${code}`), upbit.settings['MARKETS']].join(','),
      KIS_ACCOUNTS_FILE: accounts,
      KAFKA_BROKERS: broker,
      LOG_LEVEL: 'debug',
    });
    await app.published(3_000);
    expect((await app.get('/health')).body).toMatch(/^HEALTHY\nkis: connected.*\nupbit: connected\n/);
    const { body: metrics } = await app.get('/metrics');
    expect(metrics).toContain('kis_token_issues_total{account="second",credential="approval_key"} 1');
    expect(metrics).toMatch(/kis_token_age_seconds\{account="main",credential="approval_key"\} \d/);

    await Promise.all([kis.simulator.finish(), upbit.simulator.finish()]);
    await Promise.all([app.says(/^kis reconnecting/), app.says(/^upbit reconnecting/)]);
    expect((await app.stop()).code).toBe(0);

    const trades = await journal(journals.kis, 'tick');
    const sent = trades.flatMap(({ symbol, records = [] }) =>
      records.map(({ volume, cumulative }) => `${symbol} ${volume} of ${cumulative}`),
    );
    expect(sent.length).toBeGreaterThan(500);
    expect(new Set(trades.map(({ symbol }) => symbol)).size).toBe(MANY.length);
    const stored = (await topics.eventsOf('kis', 'tick')).filter(isTick);
    expect(
      stored.map(({ symbol, volume, tradeId }) => `${symbol} ${volume} of ${tradeId.split('-')[2]}`).sort(),
    ).toEqual(sent.sort());
    for (const symbol of MANY)
      expect(cumulatives(stored, symbol)).toEqual(cumulatives(stored, symbol).toSorted(ascending));
    const upbitSent = (await journal(journals.upbit, 'tick')).map(({ ref }) => ref);
    const upbitStored = (await topics.eventsOf('upbit', 'tick')).filter(isTick).map(({ tradeId }) => tradeId);
    expect(new Set(upbitStored)).toEqual(new Set(upbitSent));
    const gaps = (await topics.eventsOf('kis', 'gap')).filter((event): event is Gap => event.kind === 'gap');
    expect(gaps.filter(({ cause }) => cause === 'SEQUENCE' || cause === 'UNDECODABLE')).toEqual([]);
    expect(kis.witness).toEqual({ inUse: 0, approvalKeys: 2 });
    expect([...app.lines.map((line) => JSON.stringify(line)), ...app.texts].join('\n')).not.toContain(KIS_API_SECRET);
  });

  it('says where no approval key is to be had, and why, once, and is not well meanwhile, whatever the day', async () => {
    const { settings } = await startKis();
    const apiUrl = await deadUrl();
    const app = new RunningApp({ ...settings, KIS_API_URL: apiUrl, KAFKA_BROKERS: broker });
    const { host } = new URL(apiUrl);
    const fault = `account "default" has no approval key: ${host} could not be reached (connect ECONNREFUSED ${host})`;
    const isFault = ({ message }: { readonly message: string }) => message.startsWith(`kis: ${fault}`);
    const { level } = await app.untilLine(isFault);
    expect(level).toBe('warn');
    const { status, body } = await app.get('/health');
    expect(status).toBe(503);
    expect(body).toMatch(/^(UNHEALTHY|DEGRADED)\nkis: connecting/);
    expect(body).toContain(`${fault} for /oauth2/Approval; check KIS_API_URL`);
    expect((await app.stop()).code).toBe(0);
    expect(app.lines.filter(isFault)).toHaveLength(1);
    expect(app.lines.find(({ message }) => message.startsWith('one app key'))?.message).toContain(
      `one app key with ${new URL(settings['KIS_WEBSOCKET_URL'] ?? '').host} (KIS_WEBSOCKET_URL) and ${host} (KIS_API_URL)`,
    );
  });

  it('is given up for a key that KIS refuses, in words that say what to do, and the rest goes on', async () => {
    const kis = await startKis();
    kis.simulator.inject({ fault: 'venue', own: { name: 'wrong-keys', on: true } });
    const upbit = await startMarket();
    const app = new RunningApp({
      ...upbit.settings,
      ...kis.settings,
      MARKETS: `${String(kis.settings['MARKETS'])},${String(upbit.settings['MARKETS'])}`,
      KAFKA_BROKERS: broker,
      LOG_LEVEL: 'debug',
    });
    const { message } = await app.says(/^kis is given up for good/);
    expect(message).toMatch(/account "default".*EGW00103.*take both from the portal's real key/);
    await app.published(1_000);
    expect(await app.get('/health')).toMatchObject({
      status: 503,
      body: expect.stringMatching(/^UNHEALTHY\nkis: failed: .*EGW00103.*\nupbit: connected\n/) as string,
    });
    expect((await app.stop()).code).toBe(0);

    const alone = new RunningApp({ ...kis.settings, KAFKA_BROKERS: broker });
    expect(await alone.exited).toBe(4);
    expect(alone.lines.find(({ level }) => level === 'fatal')?.message).toMatch(/no venue is left: .*EGW00103/);
    // What KIS said of this key is known on this machine: the second process did not ask again.
    expect(kis.witness.approvalKeys).toBe(1);
  });
});

/** Where nothing listens. */
async function deadUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

async function journal(path: string, channel: string): Promise<readonly JournalLine[]> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as JournalLine).filter((line) => line.channel === channel);
}

function isTick(event: MarketEvent): event is Tick {
  return event.kind === 'tick';
}

function cumulatives(ticks: readonly Tick[], of: string): readonly number[] {
  return ticks.filter(({ symbol }) => symbol === of).map(({ tradeId }) => Number(tradeId.split('-')[2]));
}

function ascending(a: number, b: number): number {
  return a - b;
}
