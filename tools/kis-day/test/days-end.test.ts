import type { EventLog } from '@aipx/event-log';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { testLog } from '@aipx/timescale/testing';
import type { Subscription } from '@aipx/venue';
import { TestClient } from '@aipx/venue-simulator/testing';
import { describe, expect, it } from 'vitest';
import { APP_KEY, startIngesting, type Ingesting } from './support/ingesting.js';
import { ManualClock } from './support/manual-clock.js';
import { startVenue, testFolder, type RunningVenue } from './support/venue.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** A Friday, 09:00 in Korea. */
const MORNING = Date.UTC(2026, 10, 20);
const STREAMS = ['005930', '000660', '0193T0'].map((symbol): Subscription => ({ symbol, channel: 'tick' }));
/** Each has its market operations beside it. */
const REGISTRATIONS = 2 * STREAMS.length;
const { signal } = new AbortController();

/** A session that stands while hours pass by hand. */
class Session {
  readonly clock: ManualClock;
  readonly #venue: RunningVenue;
  readonly #ingesting: Ingesting;
  readonly #log: EventLog;

  private constructor(clock: ManualClock, venue: RunningVenue, ingesting: Ingesting, log: EventLog) {
    this.clock = clock;
    this.#venue = venue;
    this.#ingesting = ingesting;
    this.#log = log;
  }

  /** @param newApprovalRevokesOld reports disagree on whether KIS does */
  static async open(newApprovalRevokesOld: boolean): Promise<Session> {
    const clock = new ManualClock(MORNING);
    const venue = await startVenue(
      { wall: clock.now, pingEveryMs: 100, zombieMs: 18 * SECOND, newApprovalRevokesOld },
      { kind: 'market', seed: 1, rate: 1_000, symbols: STREAMS.map(({ symbol }) => symbol) },
    );
    const log = await testLog(1);
    const started = startIngesting({ venue, log, subscriptions: STREAMS, clock, folder: await testFolder() });
    const session = new Session(clock, venue, await clock.flow(started), log);
    await clock.flow(session.#registered(0));
    return session;
  }

  get venue(): RunningVenue {
    return this.#venue;
  }

  get ingesting(): Ingesting {
    return this.#ingesting;
  }

  approvalKey(): Promise<string> {
    return this.#ingesting.key.credentials.approvalKey(signal);
  }

  /** The token is used all the time, and data comes all the time. */
  async passUntil(since: number): Promise<void> {
    while (this.clock.now() < MORNING + since) {
      const { expiresAt = 0 } = this.#ingesting.key.statistics.token;
      this.clock.advance(this.clock.now() > expiresAt - 20 * MINUTE ? 10 * SECOND : 5 * MINUTE);
      expect(await this.#callWithToken()).toBe(200);
      await this.#ingesting.nextFrame();
    }
  }

  /** The session ends as a network ends it. Resolves when all is registered again. */
  async cut(): Promise<void> {
    const { seen, watch, host } = this.#venue;
    const before = seen.registrations.length;
    host.inject({ fault: 'cut', how: 'reset' });
    await this.clock.flow(watch.until(() => seen.registrations.slice(before).includes(REGISTRATIONS)));
  }

  /** What KIS answers to somebody who comes with this key. */
  async answerTo(approvalKey: string): Promise<string> {
    const client = await TestClient.connect(this.#venue.host.websocketUrl);
    client.send({
      header: { approval_key: approvalKey, custtype: 'P', tr_type: '1', 'content-type': 'utf-8' },
      body: { input: { tr_id: 'H0UNCNT0', tr_key: '005930' } },
    });
    const answer = await client.nextText();
    client.socket.close();
    await client.closed;
    return answer;
  }

  /** Gaps that were told so far. */
  async gaps(): Promise<number> {
    return Number((await this.#log.range({ topic: EVENT_TOPICS.gap, partition: 0 })).end);
  }

  async #registered(connection: number): Promise<void> {
    const { seen, watch } = this.#venue;
    await watch.until(() => seen.registrations[connection] === REGISTRATIONS);
  }

  async #callWithToken(): Promise<number> {
    const { account, credentials } = this.#ingesting.key;
    const token = await this.clock.flow(credentials.token(signal));
    const url = `${this.#venue.host.apiUrl}/uapi/domestic-stock/v1/quotations/chk-holiday?BASS_DT=20261120`;
    const { apiKey: appkey, apiSecret: appsecret } = account;
    const headers = { authorization: `Bearer ${token}`, appkey, appsecret, tr_id: 'CTCA0903R' };
    const response = await fetch(url, { headers });
    await response.arrayBuffer();
    return response.status;
  }
}

describe('the end of a token and of an approval key, while a session stands', () => {
  it.each([
    ['KIS lets the old one live on', false],
    ['a new key revokes the old one', true],
  ])('interrupts nothing in 26 hours, and the next session gets in at its first attempt (%s)', async (_, revokes) => {
    const session = await Session.open(revokes);
    const { seen, kis } = session.venue;
    const first = await session.approvalKey();
    await session.passUntil(26 * HOUR);
    expect(seen).toEqual({ opened: 1, ended: 0, registrations: [REGISTRATIONS], refusals: [] });
    expect(session.ingesting.ingestion.status().venues['kis']).toMatchObject({ state: 'CONNECTED', reconnects: 0 });
    // Neither a cut nor a volume that does not follow the one before.
    expect(await session.gaps()).toBe(0);
    expect(kis.usage(APP_KEY)).toMatchObject({ approvalKeys: 1, newTokens: 2, refusedTokens: 0 });
    // Nobody gets in with the key by which the session was opened.
    expect(await session.answerTo(first)).toContain('OPSP0011');

    await session.cut();
    await session.passUntil(27 * HOUR);
    // Between the session and its successor there was that stranger only.
    expect(seen).toMatchObject({ opened: 3, registrations: [REGISTRATIONS, 0, REGISTRATIONS], refusals: ['OPSP0011'] });
    expect(kis.usage(APP_KEY)).toMatchObject({ approvalKeys: 2 });
    await session.ingesting.readOut();
  });

  it('which comes before its time costs one refused attempt, and the second gets in with a new key', async () => {
    const session = await Session.open(false);
    const { seen, kis, host } = session.venue;
    await session.passUntil(6 * HOUR);
    host.inject({ fault: 'venue', own: { name: 'reject-approval-keys' } });
    await session.passUntil(7 * HOUR);
    expect(seen).toMatchObject({ opened: 1, ended: 0, refusals: [] });
    await session.cut();
    await session.passUntil(8 * HOUR);
    expect(seen).toMatchObject({ opened: 3, ended: 2 });
    // One attempt; what it asked for beside the first registration may have been answered too.
    expect([...new Set(seen.refusals)]).toEqual(['OPSP0011']);
    expect(seen.registrations).toEqual([REGISTRATIONS, 0, REGISTRATIONS]);
    expect(kis.usage(APP_KEY)).toMatchObject({ approvalKeys: 2 });
    await session.ingesting.readOut();
  });
});
