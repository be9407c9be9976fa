import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MarketDataError } from '@aipx/market-model';
import { parseTradingDays, SessionCalendar, type SpecialDays } from '@aipx/venue-kis';
import { createKisSimulator, type KisSimulator } from '@aipx/venue-kis/simulator';
import { startVenueSimulator, type VenueSimulator } from '@aipx/venue-simulator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HolidayCaller } from '../src/kis/holiday-call.js';
import { Holidays } from '../src/kis/holidays.js';
import { FaultyProxy, type RestFault } from './faulty-proxy.js';
import { ManualClock } from './manual-clock.js';

const DAY_MS = 86_400_000;
const ACCOUNT = { apiKey: 'an-app-key-of-36-characters', apiSecret: 'a-secret-that-nobody-may-see' };
/** 30 days back and 366 ahead of the simulated now, a hundred a page. */
const PAGES = 4;

let folder: string;
let file: string;
let stop: AbortController;
let clock: ManualClock;
let kis: KisSimulator;
let host: VenueSimulator;
let proxy: FaultyProxy;
let calendar: SessionCalendar;
let faults: MarketDataError[];
let tokens: string[];
let running: Promise<void>[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kis-holidays-'));
  file = join(folder, 'machine', 'holidays.json');
  stop = new AbortController();
  clock = new ManualClock(Date.UTC(2026, 10, 23));
  kis = createKisSimulator({ wall: () => clock.now(), holidays: ['20261225', '20270101'] });
  const source = { kind: 'market', seed: 1, rate: 1 } as const;
  host = await startVenueSimulator({ venue: kis, source, signal: new AbortController().signal });
  proxy = await FaultyProxy.start(host.apiUrl);
  calendar = new SessionCalendar();
  faults = [];
  tokens = [];
  running = [];
});

afterEach(async () => {
  stop.abort();
  await Promise.all(running);
  await host.stop();
  await rm(folder, { recursive: true });
});

/** A token of the simulated venue, kept until it is said to be refused. */
async function token(): Promise<string> {
  const kept = tokens.at(-1);
  if (kept !== undefined) return kept;
  const response = await fetch(new URL('/oauth2/tokenP', host.apiUrl), {
    method: 'POST',
    body: JSON.stringify({
      grant_type: 'client_credentials',
      appkey: ACCOUNT.apiKey,
      appsecret: ACCOUNT.apiSecret,
    }),
  });
  const { access_token: value } = (await response.json()) as { access_token: string };
  tokens.push(value);
  return value;
}

function callerWith(change: Partial<HolidayCaller> = {}): HolidayCaller {
  const invalidateToken = () => void tokens.pop();
  return { url: proxy.url, account: ACCOUNT, credentials: { token, invalidateToken }, pageEveryMs: 0, ...change };
}

async function open(caller: HolidayCaller | undefined = callerWith(), ownDays: SpecialDays = new Map()) {
  const onFault = (error: MarketDataError) => void faults.push(error);
  return await Holidays.open({ calendar, ownDays, file, ...(caller && { caller }), onFault, clock });
}

/** Runs until nothing is left to be done now; how long it then waits, ms. */
async function asked(holidays: Holidays): Promise<number> {
  running.push(holidays.run(stop.signal));
  return await clock.asleep();
}

function isOpen(day: string, time = '10:00'): boolean {
  return calendar.isDataExpected('KRX', Temporal.ZonedDateTime.from(`${day}T${time}[Asia/Seoul]`).epochNanoseconds);
}

async function keep(askedAt: number, days: object[]): Promise<void> {
  file = join(folder, 'kept.json');
  await writeFile(file, JSON.stringify({ askedAt: new Date(askedAt).toISOString(), days }));
}

describe('the holidays of KIS', () => {
  it('are asked for once, page by page, a year ahead and over the longest holidays back', async () => {
    expect(await asked(await open())).toBe(DAY_MS);
    expect(['2026-12-24', '2026-12-25', '2026-12-28', '2027-01-01'].map((day) => isOpen(day))).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(kis.usage(ACCOUNT.apiKey).calendarCalls).toBe(PAGES);
    expect(proxy.continuations).toEqual(['', 'N', 'N', 'N']);
    const days = [...parseTradingDays(await readFile(file, 'utf8')).keys()];
    expect([days[0], days.at(-1), days.length]).toEqual(['20261024', '20271124', 397]);
    expect(await readdir(join(folder, 'machine'))).toEqual(['holidays.json']);
    expect(faults).toEqual([]);
  });

  it('are asked for once a day, through restarts of the process', async () => {
    await asked(await open());
    stop.abort();
    stop = new AbortController();
    clock = new ManualClock(clock.now() + 3_600_000);
    calendar = new SessionCalendar();
    const again = await open();
    expect(isOpen('2026-12-25')).toBe(false);
    expect(await asked(again)).toBe(DAY_MS - 3_600_000);
    expect(kis.usage(ACCOUNT.apiKey).calendarCalls).toBe(PAGES);
    clock.wake();
    await clock.asleep();
    expect(kis.usage(ACCOUNT.apiKey).calendarCalls).toBe(2 * PAGES);
  });

  it('count as another process of the machine has learned them meanwhile', async () => {
    await keep(clock.now() - DAY_MS / 2, []);
    expect(await asked(await open())).toBe(DAY_MS / 2);
    await keep(clock.now() + DAY_MS / 4, [{ date: '2026-12-24', open: false }]);
    clock.wake();
    expect(await clock.asleep()).toBe(DAY_MS * 0.75);
    expect(isOpen('2026-12-24')).toBe(false);
    expect(proxy.requests).toBe(0);
  });

  it('count less than the user’s own days', async () => {
    const own = parseTradingDays(
      '{"days":[{"date":"2026-12-25","open":true,"closing":"12:30"},{"date":"2026-12-28","open":false}]}',
    );
    await asked(await open(callerWith(), own));
    expect([isOpen('2026-12-25'), isOpen('2026-12-25', '12:35'), isOpen('2026-12-28')]).toEqual([true, false, false]);
    expect(isOpen('2027-01-01')).toBe(false);
  });

  it('are those of the file where nobody can be asked', async () => {
    await keep(clock.now() - 9 * DAY_MS, [{ date: '2026-12-24', open: false }]);
    const holidays = await Holidays.open({
      calendar,
      ownDays: new Map(),
      file,
      onFault: (error) => void faults.push(error),
      clock,
    });
    await holidays.run(stop.signal);
    expect(isOpen('2026-12-24')).toBe(false);
    expect([proxy.requests, faults]).toEqual([0, []]);
  });

  it.each<[RestFault, number, string]>([
    ['error', 10_000, 'VALIDATION_RECORD'],
    ['html', 10_000, 'VALIDATION_RECORD'],
    ['slow', 30, 'CONNECTION_FAILED'],
    ['cut', 10_000, 'CONNECTION_FAILED'],
  ])(
    'stay as they were kept when the answer is %s; KIS is left alone for a day all the same',
    async (fault, timeoutMs, code) => {
      await keep(clock.now() - 2 * DAY_MS, [{ date: '2026-12-24', open: false }]);
      proxy.next(fault);
      expect(await asked(await open(callerWith({ timeoutMs })))).toBe(DAY_MS);
      expect(faults).toMatchObject([{ code }]);
      expect(JSON.stringify(faults)).not.toMatch(new RegExp([...Object.values(ACCOUNT), ...tokens].join('|')));
      expect([isOpen('2026-12-24'), isOpen('2026-12-25')]).toEqual([false, true]);
      expect(proxy.requests).toBe(1);
      clock.wake();
      await clock.asleep();
      expect([isOpen('2026-12-24'), isOpen('2026-12-25')]).toEqual([true, false]);
    },
  );

  it.each<[string, RestFault, string]>([
    ['is cut', 'cut', 'page 2'],
    ['cannot be asked for', 'last', 'page 3'],
  ])('stay as they were when a later page %s', async (_, fault, page) => {
    proxy.next(undefined, fault);
    expect(await asked(await open())).toBe(DAY_MS);
    expect(faults).toMatchObject([
      { code: 'CONNECTION_FAILED', message: expect.stringContaining(`${page}: KIS could not be asked`) as string },
    ]);
    expect(isOpen('2026-12-25')).toBe(true);
    expect(parseTradingDays(await readFile(file, 'utf8')).size).toBe(0);
  });

  it('are asked for again soon when KIS cannot have heard the question', async () => {
    await proxy.stop();
    expect(await asked(await open())).toBe(10 * 60_000);
    expect(faults).toMatchObject([
      { code: 'CONNECTION_FAILED', message: expect.stringContaining('ECONNREFUSED') as string },
    ]);
    expect(await readFile(file, 'utf8')).not.toContain('askedAt');
  });

  it('are not asked for by whoever begins while KIS is asked', async () => {
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<string>();
    const isAsking = Promise.withResolvers<undefined>();
    let calls = 0;
    const credentials = {
      token: () => {
        calls += 1;
        // The first says only that there is one.
        if (calls === 1) return token();
        isAsking.resolve(undefined);
        return mayAnswer;
      },
      invalidateToken: () => undefined,
    };
    const first = asked(await open(callerWith({ credentials })));
    await isAsking.promise;
    const other = new ManualClock(clock.now() + 60_000);
    const onFault = (error: MarketDataError) => void faults.push(error);
    const second = await Holidays.open({
      calendar,
      ownDays: new Map(),
      file,
      caller: callerWith(),
      onFault,
      clock: other,
    });
    running.push(second.run(stop.signal));
    expect(await other.asleep()).toBe(DAY_MS - 60_000);
    expect(proxy.requests).toBe(0);
    answer(await token());
    await first;
    expect([isOpen('2026-12-25'), faults]).toEqual([false, []]);
  });

  it('are asked for a day later at the latest when a clock was ahead, through restarts too', async () => {
    await keep(clock.now() + 90 * DAY_MS, [{ date: '2026-12-24', open: false }]);
    for (const restart of [0, 1]) {
      expect(await asked(await open())).toBe(DAY_MS - restart * 3_600_000);
      stop.abort();
      stop = new AbortController();
      clock = new ManualClock(clock.now() + 3_600_000);
    }
    expect(await asked(await open())).toBe(DAY_MS - 2 * 3_600_000);
    expect([isOpen('2026-12-24'), proxy.requests]).toEqual([false, 0]);
    await keep(clock.now() + 90 * DAY_MS, []);
    clock.wake();
    await clock.asleep();
    expect(kis.usage(ACCOUNT.apiKey).calendarCalls).toBe(PAGES);
  });

  it('are asked for again soon when there is no token to ask with', async () => {
    const unreachable = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const credentials = {
      token: () => Promise.reject(new MarketDataError('CONNECTION_FAILED', 'no token', { cause: unreachable })),
      invalidateToken: () => undefined,
    };
    expect(await asked(await open(callerWith({ credentials })))).toBe(10 * 60_000);
    expect([faults.length, proxy.requests]).toEqual([1, 0]);
  });

  it('are not asked for again with a key that KIS refuses', async () => {
    const refusal = new MarketDataError('CONFIG_ACCOUNT', 'KIS does not know this key');
    const credentials = { token: () => Promise.reject(refusal), invalidateToken: () => undefined };
    await (await open(callerWith({ credentials }))).run(stop.signal);
    expect([faults, proxy.requests]).toEqual([[refusal], 0]);
  });

  it('take a new token, once, when theirs has ended', async () => {
    await token();
    host.inject({ fault: 'venue', own: { name: 'revoke-tokens' } });
    clock = new ManualClock(clock.now() + 7 * 3_600_000);
    expect(await asked(await open())).toBe(DAY_MS);
    expect(isOpen('2026-12-25')).toBe(false);
    expect(kis.usage(ACCOUNT.apiKey)).toMatchObject({ newTokens: 2, calendarCalls: PAGES });
    expect(faults).toEqual([]);
  });

  it('are read anew when the kept ones are damaged', async () => {
    file = join(folder, 'kept.json');
    await writeFile(file, '{"askedAt":"2026-11-23T00:00:00Z","da');
    await asked(await open());
    expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(['STORE_DAMAGED']));
    expect(isOpen('2026-12-25')).toBe(false);
    expect(parseTradingDays(await readFile(file, 'utf8')).size).toBe(397);
  });

  it('are in use when the disk does not take them', async () => {
    await writeFile(join(folder, 'taken'), '');
    file = join(folder, 'taken', 'holidays.json');
    await asked(await open());
    expect(faults.at(-1)).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(isOpen('2026-12-25')).toBe(false);
  });
});
