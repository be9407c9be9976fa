import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openScene } from './support/auth.js';
import { API_KEY, API_SECRET, MORNING } from './support/keys.js';

const { signal } = new AbortController();
const HOUR = 3_600_000;
const NOTHING = { issues: 0, refreshes: 0, waits: 0, errors: {} };

describe('the statistics of a key', () => {
  it('begin with nothing, under the name of the account', async () => {
    const { open } = await openScene();
    expect((await open()).statistics).toEqual({
      account: 'default',
      environment: 'real',
      token: NOTHING,
      approvalKey: NOTHING,
      lease: 'none',
    });
  });

  it('tell issues, refreshes and the times of what is held', async () => {
    const { clock, server, open } = await openScene();
    const key = await open();
    await key.credentials.token(signal);
    expect(key.statistics.token).toEqual({ ...NOTHING, issues: 1, issuedAt: MORNING, expiresAt: MORNING + 24 * HOUR });
    clock.advance(24 * HOUR - 600_000);
    const asked = server.nextRequest();
    await key.credentials.token(signal);
    await asked;
    clock.advance(660_000);
    await clock.until(key.credentials.token(signal));
    expect(key.statistics).toMatchObject({ token: { issues: 2, refreshes: 1 }, approvalKey: NOTHING });
    expect(key.statistics.token.issuedAt).toBe(MORNING + 24 * HOUR - 600_000);
  });

  it('count one wait, however often one looks again, and say what for while it lasts', async () => {
    const { clock, server, open } = await openScene();
    server.fail({ kind: 'code', code: 'EGW00133', status: 403 });
    const key = await open();
    const token = key.credentials.token(signal);
    await clock.sleeping();
    expect(key.statistics.token.waitingFor).toContain('EGW00133');
    await clock.until(token);
    expect(key.statistics.token).toMatchObject({ issues: 1, waits: 1, errors: { EGW00133: 1 } });
    expect(key.statistics.token).not.toHaveProperty('waitingFor');
  });

  it('name errors by the codes of the tables, and all others by a few words, whatever KIS sends', async () => {
    const { clock, server, open } = await openScene();
    const codes = ['EGW00002', 'EGW77771', 'EGW77772', 'not a code'];
    server.fail(...codes.map((code) => ({ kind: 'code', code, status: 500 }) as const), { kind: 'half' });
    const key = await open();
    await clock.until(key.credentials.token(signal));
    expect(key.statistics.token.errors).toEqual({ EGW00002: 1, other: 3, network: 1 });
  });

  it('tell whether the session’s lease is held, waited for or neither', async () => {
    const { clock, open } = await openScene();
    const [holder, other] = [await open(), await open()];
    const lease = await holder.claimLease(signal);
    const stop = new AbortController();
    const claimed = other.claimLease(stop.signal).catch((error: unknown) => error);
    await clock.sleeping();
    expect([holder.statistics.lease, other.statistics.lease]).toEqual(['held', 'waiting']);
    stop.abort(new Error('stopped'));
    await claimed;
    await lease.release();
    expect([holder.statistics.lease, other.statistics.lease]).toEqual(['none', 'none']);
  });

  it('are snapshots without anything secret', async () => {
    const { server, open } = await openScene();
    const key = await open();
    const before = key.statistics;
    await key.credentials.token(signal);
    await key.credentials.approvalKey(signal);
    expect(before.token).toEqual(NOTHING);
    const told = inspect(key.statistics, { depth: 9, showHidden: true });
    for (const secret of [API_KEY, API_SECRET, ...server.issued]) expect(told).not.toContain(secret);
  });
});
