import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KisAccount, KisAccounts, KisAuth, systemClock, type Clock } from '@aipx/kis-auth';
import type { MarketDataError } from '@aipx/market-model';
import { redisUnavailable, startRedis, type RedisServer } from '@aipx/stack';
import { createKisSimulator } from '@aipx/venue-kis/simulator';
import { startVenueSimulator } from '@aipx/venue-simulator';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Holidays } from '../src/kis/holidays.js';
import { FaultyProxy } from './faulty-proxy.js';
import { LearningCalendar } from './learning-calendar.js';
import { RestingClock } from './resting-clock.js';

const { signal } = new AbortController();
const ACCOUNT = new KisAccount('default', 'real', 'an-app-key-of-36-characters', 'a-secret-that-nobody-may-see');
const LEASE_TTL_MS = 1_000;
const DAY_MS = 86_400_000;
/** 30 days back and 366 ahead of now, a hundred a page. */
const PAGES = 4;

async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kis-holidays-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function testRedis() {
  const folder = await testFolder();
  const server = await startRedis({ folder, signal });
  onTestFinished(() => server.stop());
  const startEmpty = async () => {
    await rm(join(folder, 'appendonlydir'), { recursive: true });
    await server.start();
  };
  return { server, startEmpty };
}

interface Process {
  readonly redis?: RedisServer;
  readonly folder?: string;
  readonly clock?: Clock;
  /** Instead of what it would be issued. */
  readonly token?: string | Promise<string>;
}

/** KIS with a calendar in which one day, weeks ahead, is closed. */
async function scene() {
  const closed = Temporal.Now.plainDateISO('Asia/Seoul').add({ days: 40 });
  const holiday = closed.add({ days: closed.dayOfWeek > 5 ? 2 : 0 }).toString();
  const kis = createKisSimulator({ holidays: [holiday.replaceAll('-', '')] });
  const host = await startVenueSimulator({ venue: kis, source: { kind: 'market', seed: 1, rate: 1 }, signal });
  onTestFinished(() => host.stop());
  const proxy = await FaultyProxy.start(host.apiUrl);
  const faults: MarketDataError[] = [];

  /** A process of its own; on a machine of its own unless it has the folder of another one. */
  async function start({ redis, folder, clock = systemClock, token }: Process) {
    const calendar = new LearningCalendar();
    const auth = await KisAuth.open({
      accounts: KisAccounts.of([ACCOUNT]),
      machineFolder: folder ?? (await testFolder()),
      url: host.apiUrl,
      leaseTtlMs: LEASE_TTL_MS,
      clock,
      ...(redis && { redis: { host: redis.host, port: redis.port } }),
    });
    const { account, credentials: own, holidays: answer } = auth.keys[0] ?? expect.unreachable('there is a key');
    const given = token !== undefined && { token: () => Promise.resolve(token), invalidateToken: () => undefined };
    const credentials = given || own;
    const caller = { url: proxy.url, account, credentials, pageEveryMs: 0 };
    const onFault = (error: MarketDataError) => void faults.push(error);
    const holidays = await Holidays.open({ calendar, ownDays: new Map(), answer, caller, onFault, clock });
    const stop = new AbortController();
    const running = holidays.run(stop.signal);
    const end = async () => {
      stop.abort();
      await running;
      await auth.close();
    };
    onTestFinished(end);
    return { calendar, end };
  }

  async function startTen(where: Process) {
    return await Promise.all(Array.from({ length: 10 }, () => start(where)));
  }

  async function issue(): Promise<string> {
    const body = { grant_type: 'client_credentials', appkey: ACCOUNT.apiKey, appsecret: ACCOUNT.apiSecret };
    const response = await fetch(new URL('/oauth2/tokenP', host.apiUrl), {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  const calls = () => kis.usage(ACCOUNT.apiKey).calendarCalls;
  return { holiday, proxy, faults, start, startTen, calls, issue };
}

describe('processes that start cold at once', { timeout: 60_000 }, () => {
  it('on one machine without Redis ask KIS once, and all know the holidays', async () => {
    const { holiday, faults, startTen, calls } = await scene();
    const all = await startTen({ folder: await testFolder() });
    await Promise.all(all.map(({ calendar }) => calendar.learned()));
    expect(all.map(({ calendar }) => calendar.isOpen(holiday))).toEqual(all.map(() => false));
    expect([calls(), faults]).toEqual([PAGES, []]);
  });
});

describe.skipIf(redisUnavailable() !== undefined)('with Redis', { timeout: 60_000 }, () => {
  it('ten machines that start cold at once ask KIS once, and one that comes later not at all', async () => {
    const [{ server: redis }, { holiday, faults, start, startTen, calls }] = [await testRedis(), await scene()];
    const all = await startTen({ redis });
    all.push(await start({ redis }));
    await Promise.all(all.map(({ calendar }) => calendar.learned()));
    expect(all.map(({ calendar }) => calendar.isOpen(holiday))).toEqual(all.map(() => false));
    expect([calls(), faults]).toEqual([PAGES, []]);
  });

  it('that is killed while KIS answers, and comes back empty, KIS is asked once', async () => {
    const [{ server: redis, startEmpty }, { proxy, faults, startTen, calls }] = [await testRedis(), await scene()];
    const release = proxy.hold();
    const all = await startTen({ redis });
    await proxy.asked();
    await redis.kill();
    release();
    await Promise.race(all.map(({ calendar }) => calendar.learned()));
    await startEmpty();
    await Promise.all(all.map(({ calendar }) => calendar.learned()));
    expect([calls(), faults]).toEqual([PAGES, []]);
  });

  it('that is away, a machine goes by what it was told before, and nobody asks', async () => {
    const [{ server: redis }, { holiday, start, calls }] = [await testRedis(), await scene()];
    const folder = await testFolder();
    const first = await start({ redis, folder });
    await first.calendar.learned();
    await first.end();
    await redis.kill();
    const { calendar } = await start({ redis, folder });
    expect([calendar.isOpen(holiday), calls()]).toEqual([false, PAGES]);
  });

  it('an old list is in use at once on every machine, and one of them asks for a new one', async () => {
    const [{ server: redis }, { holiday, faults, start, calls, issue }] = [await testRedis(), await scene()];
    const token = await issue();
    const earlier = { ...systemClock, now: () => Date.now() - 2 * DAY_MS };
    const first = await start({ redis, clock: earlier, token });
    await first.calendar.learned();
    await first.end();
    const waits = Promise.withResolvers<string>();
    const all = await Promise.all([1, 2, 3].map(() => start({ redis, token: waits.promise })));
    await Promise.all(all.map(({ calendar }) => calendar.learned()));
    expect([all.map(({ calendar }) => calendar.isOpen(holiday)), calls()]).toEqual([[false, false, false], PAGES]);
    waits.resolve(token);
    await Promise.all(all.map(({ calendar }) => calendar.learned(2)));
    expect([calls(), faults]).toEqual([2 * PAGES, []]);
  });

  it('a question that fails is not asked again by the others', async () => {
    const [{ server: redis }, { proxy, faults, start, issue }] = [await testRedis(), await scene()];
    proxy.next('error');
    const token = await issue();
    const clocks = Array.from({ length: 10 }, () => new RestingClock());
    await Promise.all(clocks.map((clock) => start({ redis, clock, token })));
    await Promise.all(clocks.map((clock) => clock.rests()));
    expect(faults).toMatchObject([{ code: 'VALIDATION_RECORD' }]);
    expect(proxy.requests).toBe(1);
  });
});
