import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KisAccount, KisAccounts, KisAuth, type SharedAnswer } from '@aipx/kis-auth';
import { MarketDataError } from '@aipx/market-model';
import { parseTradingDays, SessionCalendar, type SpecialDays } from '@aipx/venue-kis';
import { createKisSimulator, type KisSimulator } from '@aipx/venue-kis/simulator';
import { startVenueSimulator, type VenueSimulator } from '@aipx/venue-simulator';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { HolidayCaller } from '../src/kis/holiday-call.js';
import { Holidays } from '../src/kis/holidays.js';
import { FaultyProxy, type RestFault } from './faulty-proxy.js';
import { ManualClock } from './manual-clock.js';

const DAY_MS = 86_400_000;
/** How often whoever has no fresh answer looks for one. */
const LOOK_MS = 10 * 60_000;
const ACCOUNT = { apiKey: 'an-app-key-of-36-characters', apiSecret: 'a-secret-that-nobody-may-see' };
/** 30 days back and 366 ahead of the simulated now, a hundred a page. */
const PAGES = 4;

let folder: string;
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

/** What the processes of this machine share, by an opening of its own. */
async function openAnswer(at: ManualClock): Promise<SharedAnswer> {
  const accounts = KisAccounts.of([new KisAccount('default', 'real', ACCOUNT.apiKey, ACCOUNT.apiSecret)]);
  const auth = await KisAuth.open({ accounts, machineFolder: join(folder, 'machine'), url: host.apiUrl, clock: at });
  onTestFinished(() => auth.close());
  return auth.keys[0]?.holidays ?? expect.unreachable('there is a key');
}

async function open(caller: HolidayCaller | undefined = callerWith(), ownDays: SpecialDays = new Map(), at = clock) {
  const onFault = (error: MarketDataError) => void faults.push(error);
  const answer = await openAnswer(at);
  return await Holidays.open({ calendar, ownDays, answer, ...(caller && { caller }), onFault, clock: at });
}

/** Runs until nothing is left to be done now; how long it then waits, ms. */
async function asked(holidays: Holidays): Promise<number> {
  // One that is there already is not waited for.
  await token();
  running.push(holidays.run(stop.signal));
  return await clock.asleep();
}

function isOpen(day: string, time = '10:00'): boolean {
  return calendar.isDataExpected('KRX', Temporal.ZonedDateTime.from(`${day}T${time}[Asia/Seoul]`).epochNanoseconds);
}

/** Lets time pass, from one look to the next. */
async function pass(ms: number): Promise<void> {
  for (const until = clock.now() + ms; clock.now() < until;) {
    clock.wake();
    await clock.asleep();
  }
}

/** Another process of the machine was told so then. */
async function told(askedAt: number, days: readonly object[] | string): Promise<void> {
  const text = typeof days === 'string' ? days : JSON.stringify({ days });
  const answer = await openAnswer(new ManualClock(askedAt));
  const question = { prepare: () => Promise.resolve(), ask: () => Promise.resolve(text), restMs: () => 0 };
  expect(await answer.step(question, stop.signal)).toEqual({ waitMs: DAY_MS });
}

async function kept(): Promise<SpecialDays> {
  const answer = await (await openAnswer(clock)).newest();
  return answer === undefined ? new Map() : parseTradingDays(answer.text);
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
    const days = [...(await kept()).keys()];
    expect([days[0], days.at(-1), days.length]).toEqual(['20261024', '20271124', 397]);
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
    await told(clock.now() - DAY_MS / 2, []);
    expect(await asked(await open())).toBe(DAY_MS / 2);
    await told(clock.now() + DAY_MS / 2, [{ date: '2026-12-24', open: false }]);
    clock.wake(DAY_MS / 4);
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

  it('are those that others were told where nobody can be asked', async () => {
    await told(clock.now() - 9 * DAY_MS, [{ date: '2026-12-24', open: false }]);
    const answer = await openAnswer(clock);
    const onFault = (error: MarketDataError) => void faults.push(error);
    const holidays = await Holidays.open({ calendar, ownDays: new Map(), answer, onFault, clock });
    expect(isOpen('2026-12-24')).toBe(false);
    expect(await asked(holidays)).toBe(3_600_000);
    await told(clock.now(), [{ date: '2026-12-23', open: false }]);
    clock.wake();
    await clock.asleep();
    expect([isOpen('2026-12-23'), isOpen('2026-12-24')]).toEqual([false, true]);
    expect([proxy.requests, faults]).toEqual([0, []]);
  });

  it.each<[RestFault, number, string]>([
    ['error', 10_000, 'VALIDATION_RECORD'],
    ['html', 10_000, 'VALIDATION_RECORD'],
    ['slow', 1_000, 'CONNECTION_FAILED'],
    ['cut', 10_000, 'CONNECTION_FAILED'],
  ])(
    'stay as they were kept when the answer is %s; KIS is left alone for a day all the same',
    async (fault, timeoutMs, code) => {
      await told(clock.now() - 2 * DAY_MS, [{ date: '2026-12-24', open: false }]);
      proxy.next(fault);
      expect(await asked(await open(callerWith({ timeoutMs })))).toBe(LOOK_MS);
      expect(faults).toMatchObject([{ code }]);
      expect(JSON.stringify(faults)).not.toMatch(new RegExp([...Object.values(ACCOUNT), ...tokens].join('|')));
      expect([isOpen('2026-12-24'), isOpen('2026-12-25')]).toEqual([false, true]);
      await pass(DAY_MS - LOOK_MS);
      expect(proxy.requests).toBe(1);
      await pass(LOOK_MS);
      expect([isOpen('2026-12-24'), isOpen('2026-12-25')]).toEqual([true, false]);
    },
  );

  it('are asked for nowhere else than at their address: the question holds the secret', async () => {
    proxy.next('redirect');
    await asked(await open());
    expect([faults.length, kis.usage(ACCOUNT.apiKey).calendarCalls]).toEqual([1, 0]);
  });

  it.each<[string, RestFault, string]>([
    ['is cut', 'cut', 'page 2'],
    ['cannot be asked for', 'last', 'page 3'],
  ])('stay as they were when a later page %s', async (_, fault, page) => {
    proxy.next(undefined, fault);
    expect(await asked(await open())).toBe(LOOK_MS);
    const { requests } = proxy;
    await pass(DAY_MS - LOOK_MS);
    expect(proxy.requests).toBe(requests);
    expect(faults).toMatchObject([
      { code: 'CONNECTION_FAILED', message: expect.stringContaining(`${page}: KIS could not be asked`) as string },
    ]);
    expect(isOpen('2026-12-25')).toBe(true);
    expect((await kept()).size).toBe(0);
  });

  it('are asked for again soon when KIS cannot have heard the question', async () => {
    await proxy.stop();
    expect(await asked(await open())).toBe(LOOK_MS);
    expect(faults).toMatchObject([
      { code: 'CONNECTION_FAILED', message: expect.stringContaining('ECONNREFUSED') as string },
    ]);
    await pass(LOOK_MS);
    expect(faults).toHaveLength(2);
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
    const other = new ManualClock(clock.now() + 10_000);
    running.push((await open(callerWith(), new Map(), other)).run(stop.signal));
    expect(await other.asleep()).toBeLessThan(1_000);
    expect(proxy.requests).toBe(0);
    answer(await token());
    await first;
    other.wake();
    expect(await other.asleep()).toBeGreaterThan(DAY_MS - 60_000);
    expect([isOpen('2026-12-25'), faults, proxy.requests]).toEqual([false, [], PAGES]);
  });

  it('are asked for a day later at the latest when a clock was ahead, through restarts too', async () => {
    await told(clock.now() + 90 * DAY_MS, [{ date: '2026-12-24', open: false }]);
    for (let restarts = 0; restarts < 3; restarts += 1) {
      expect(await asked(await open())).toBe(LOOK_MS);
      stop.abort();
      stop = new AbortController();
      clock = new ManualClock(clock.now() + 3_600_000);
    }
    await asked(await open());
    await pass(DAY_MS - 3 * 3_600_000 - LOOK_MS);
    expect([isOpen('2026-12-24'), proxy.requests]).toEqual([false, 0]);
    await pass(LOOK_MS);
    expect(kis.usage(ACCOUNT.apiKey).calendarCalls).toBe(PAGES);
  });

  it('are asked for again soon, not at once, when the process that asked was stopped over it', async () => {
    proxy.next('slow');
    await token();
    running.push((await open()).run(stop.signal));
    await proxy.asked();
    stop.abort();
    await Promise.all(running);
    stop = new AbortController();
    expect(await asked(await open())).toBe(LOOK_MS);
    expect(proxy.requests).toBe(1);
    await pass(LOOK_MS);
    expect([kis.usage(ACCOUNT.apiKey).calendarCalls, faults]).toEqual([PAGES, []]);
  });

  it('are asked for again soon when there is no token to ask with', async () => {
    const unreachable = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const credentials = {
      token: () => Promise.reject(new MarketDataError('CONNECTION_FAILED', 'no token', { cause: unreachable })),
      invalidateToken: () => undefined,
    };
    expect(await asked(await open(callerWith({ credentials })))).toBe(LOOK_MS);
    expect([faults.length, proxy.requests]).toEqual([1, 0]);
  });

  it('are not asked for again with a key that KIS refuses', async () => {
    const refusal = new MarketDataError('CONFIG_ACCOUNT', 'KIS does not know this key');
    const credentials = { token: () => Promise.reject(refusal), invalidateToken: () => undefined };
    await (await open(callerWith({ credentials }))).run(stop.signal);
    expect([faults, proxy.requests]).toEqual([[refusal], 0]);
  });

  it('are asked for soon by another process when the key was refused before KIS was asked', async () => {
    await token();
    let calls = 0;
    const credentials = {
      token: () => {
        calls += 1;
        if (calls === 1) return token();
        return Promise.reject(new MarketDataError('CONFIG_ACCOUNT', 'KIS does not know this key'));
      },
      invalidateToken: () => undefined,
    };
    await (await open(callerWith({ credentials }))).run(stop.signal);
    expect(await asked(await open())).toBe(LOOK_MS);
    await pass(LOOK_MS);
    expect(kis.usage(ACCOUNT.apiKey).calendarCalls).toBe(PAGES);
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

  it('are read anew when the kept ones are damaged, and counted for nothing until then', async () => {
    await told(clock.now() - DAY_MS / 2, '{"days":[{"date":"soon"}]}');
    expect(await asked(await open())).toBe(DAY_MS / 2);
    expect(faults).toMatchObject([{ code: 'STORE_DAMAGED', message: expect.stringContaining('"soon"') as string }]);
    clock.wake();
    await clock.asleep();
    expect([isOpen('2026-12-25'), faults.length]).toEqual([false, 1]);
    expect((await kept()).size).toBe(397);
  });
});
