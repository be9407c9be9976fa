import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KisAccount, KisAccounts } from '../src/index.js';
import { openScene } from './support/auth.js';
import { API_KEY, API_SECRET, MORNING, oneAccount } from './support/keys.js';

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
    // The minute was not up: nothing that somebody could mend.
    expect(key.statistics.token).not.toHaveProperty('failure');
    await clock.until(token);
    expect(key.statistics.token).toMatchObject({ issues: 1, waits: 1, errors: { EGW00133: 1 } });
    expect(key.statistics.token).not.toHaveProperty('waitingFor');
  });

  it('say the same while one waits, and why KIS issued none, also to the next process', async () => {
    const { clock, server, open } = await openScene();
    server.fail({ kind: 'silence' }, { kind: 'code', code: 'EGW00002', status: 500 });
    const key = await open({ timeoutMs: 50 });
    const approvalKey = key.credentials.approvalKey(signal).catch(() => undefined);
    await clock.sleeping();
    const { host } = new URL(server.url);
    const { failure, waitingFor } = key.statistics.approvalKey;
    expect(failure).toContain(`${host} could not be reached (no answer within 50 ms)`);
    expect(waitingFor).toMatch(/^KIS is asked again at \S+Z \(last: FAILED\)$/);
    clock.advance(1_000);
    await clock.sleeping();
    expect(key.statistics.approvalKey).toMatchObject({ failure, waitingFor });

    await key.auth.close();
    await approvalKey;
    const next = await open();
    const issued = next.credentials.approvalKey(signal);
    await clock.sleeping();
    expect(next.statistics.approvalKey).toMatchObject({ failure, waitingFor });
    await clock.until(issued);
    expect(next.statistics.approvalKey).not.toHaveProperty('failure');
  });

  it('name no failure of hours ago while KIS is asked', async () => {
    const { clock, server, open } = await openScene();
    server.fail({ kind: 'code', code: 'EGW00002', status: 500 });
    const before = await open();
    const ended = before.credentials.approvalKey(signal).catch(() => undefined);
    await clock.sleeping();
    await before.auth.close();
    await ended;
    clock.advance(3 * HOUR);
    const key = await open();
    const [answer, asked] = [server.hold(), server.nextRequest()];
    const issued = key.credentials.approvalKey(signal);
    await asked;
    expect(key.statistics.approvalKey).not.toHaveProperty('failure');
    answer();
    await issued;
  });

  it('go on naming the failure that was waited over while KIS is asked again', async () => {
    const { clock, server, open } = await openScene();
    server.fail({ kind: 'code', code: 'EGW00002', status: 500 });
    const key = await open();
    const issued = key.credentials.approvalKey(signal);
    await clock.sleeping();
    const { failure } = key.statistics.approvalKey;
    const [answer, asked] = [server.hold(), server.nextRequest()];
    clock.advance(15 * 60_000);
    await asked;
    expect(failure).toContain('EGW00002');
    expect(key.statistics.approvalKey).toMatchObject({ failure });
    answer();
    await issued;
    expect(key.statistics.approvalKey).not.toHaveProperty('failure');
  });

  it('name no failure of a secret that was corrected', async () => {
    const { clock, open } = await openScene();
    const wrong = await open({ accounts: await oneAccount('real', API_SECRET.replace('s3cr3t', 'wr0ng1')) });
    await expect(wrong.credentials.approvalKey(signal)).rejects.toMatchObject({ code: 'CONFIG_ACCOUNT' });
    await wrong.auth.close();
    const corrected = await open();
    const issued = corrected.credentials.approvalKey(signal);
    await clock.sleeping();
    expect(corrected.statistics.approvalKey.waitingFor).toContain('EGW00105');
    expect(corrected.statistics.approvalKey).not.toHaveProperty('failure');
    await clock.until(issued);
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
    await new Promise(setImmediate);
    expect([holder.statistics.lease, other.statistics.lease]).toEqual(['held', 'waiting']);
    expect(other.statistics.leaseHindrance).toEqual({ kind: 'held' });
    stop.abort(new Error('stopped'));
    await claimed;
    await lease.release();
    expect([holder.statistics.lease, other.statistics.lease]).toEqual(['none', 'none']);
    expect(other.statistics.leaseHindrance).toBeUndefined();
  });

  it('tell what the holder of each key takes by that key, not by the others', async () => {
    const { open } = await openScene();
    const accounts = KisAccounts.of([1, 2].map((at) => new KisAccount(`a${at}`, 'real', `key-${at}`, `secret-${at}`)));
    const takes = [['KRX 005930 tick'], ['KRX 000660 tick']];
    const [holder, other] = [await open({ accounts, takes }), await open({ accounts, takes: [['KRX 035420 tick']] })];
    expect(other.auth.keys.map((key) => key.takes)).toEqual([['KRX 035420 tick'], []]);
    const leases = await Promise.all(holder.auth.keys.map((key) => key.claimLease(signal)));
    const stop = new AbortController();
    for (const [index, key] of other.auth.keys.entries()) {
      const claimed = key.claimLease(stop.signal).catch((error: unknown) => error);
      onTestFinished(async () => void (await claimed));
      while (key.statistics.leaseHindrance === undefined) await new Promise(setImmediate);
      expect(key.statistics.leaseHindrance).toEqual({ kind: 'held', takes: takes[index] });
    }
    stop.abort(new Error('stopped'));
    await Promise.all(leases.map((lease) => lease.release()));
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
