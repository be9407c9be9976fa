import { describe, expect, it } from 'vitest';
import { openScene } from './support/auth.js';
import { API_KEY, oneAccount, SECRETS } from './support/keys.js';
import { OAuthServer } from './support/oauth-server.js';

const { signal } = new AbortController();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('a token', () => {
  it('is issued once for all who ask at the same time, and kept', async () => {
    const { server, open } = await openScene();
    const { credentials } = await open();
    const tokens = await Promise.all([1, 2, 3].map(() => credentials.token(signal)));
    expect(new Set(tokens)).toEqual(new Set(server.issued));
    expect(await credentials.token(signal)).toBe(tokens[0]);
    expect(server.count('/oauth2/tokenP')).toBe(1);
    expect(credentials.statistics.token).toMatchObject({ issues: 1, refreshes: 0, errors: {} });
  });

  it('is refreshed before its end while the old one is still handed out', async () => {
    const { clock, server, open } = await openScene();
    const { credentials } = await open();
    const first = await credentials.token(signal);
    clock.advance(24 * HOUR - 12 * MINUTE);
    expect(await credentials.token(signal)).toBe(first);
    expect(server.count('/oauth2/tokenP')).toBe(1);
    clock.advance(2 * MINUTE);
    const asked = server.nextRequest();
    expect(await credentials.token(signal)).toBe(first);
    await asked;
    clock.advance(10 * MINUTE);
    const second = await clock.until(credentials.token(signal));
    expect(second).not.toBe(first);
    expect(server.count('/oauth2/tokenP')).toBe(2);
    expect(credentials.statistics.token).toMatchObject({ issues: 2, refreshes: 1 });
  });

  it('is used until half a minute before its end, for clocks differ', async () => {
    const { clock, server, open } = await openScene();
    const { credentials } = await open();
    const first = await credentials.token(signal);
    server.fail(...Array.from({ length: 9 }, () => ({ kind: 'code', code: 'EGW00002', status: 500 }) as const));
    clock.advance(24 * HOUR - MINUTE / 2 - 1);
    expect(await credentials.token(signal)).toBe(first);
    clock.advance(1);
    expect(await clock.until(credentials.token(signal))).not.toBe(first);
  });

  it('is asked for once a day in a week of use by two processes', async () => {
    const { clock, server, folder, open } = await openScene();
    const processes = [await open({ tokenFile: `${folder}/tokens` }), await open({ tokenFile: `${folder}/tokens` })];
    for (let hour = 0; hour < 7 * 24; hour += 1) {
      for (const { credentials } of processes) await clock.until(credentials.token(signal));
      clock.advance(HOUR - 3 * MINUTE);
    }
    expect(server.count('/oauth2/tokenP')).toBeLessThanOrEqual(8);
    expect(server.count('/oauth2/tokenP')).toBeGreaterThanOrEqual(6);
  });

  it('that is refused is replaced once; the same one again is kept until KIS has another', async () => {
    const { clock, server, open } = await openScene();
    const { credentials } = await open();
    const first = await credentials.token(signal);
    clock.advance(2 * HOUR);
    credentials.invalidateToken(first);
    expect(await clock.until(credentials.token(signal))).toBe(first);
    expect(server.count('/oauth2/tokenP')).toBe(2);
    credentials.invalidateToken(first);
    expect(await credentials.token(signal)).toBe(first);
    expect(server.count('/oauth2/tokenP')).toBe(2);
    clock.advance(4 * HOUR - 3 * MINUTE);
    credentials.invalidateToken(first);
    expect(await credentials.token(signal)).toBe(first);
    expect(server.count('/oauth2/tokenP')).toBe(2);
    clock.advance(3 * MINUTE);
    credentials.invalidateToken(first);
    expect(await clock.until(credentials.token(signal))).not.toBe(first);
    expect(server.count('/oauth2/tokenP')).toBe(3);
  });

  it('that one process had replaced is taken over by another that is refused too', async () => {
    const { clock, server, folder, open } = await openScene();
    const [a, b] = [await open({ tokenFile: `${folder}/tokens` }), await open({ tokenFile: `${folder}/tokens` })];
    const old = await a.credentials.token(signal);
    expect(await b.credentials.token(signal)).toBe(old);
    clock.advance(7 * HOUR);
    a.credentials.invalidateToken(old);
    const replaced = await clock.until(a.credentials.token(signal));
    b.credentials.invalidateToken(old);
    expect(await b.credentials.token(signal)).toBe(replaced);
    expect(server.count('/oauth2/tokenP')).toBe(2);
  });

  it('of the same key on the virtual servers is another one in the same file', async () => {
    const { clock, server, folder, open } = await openScene();
    const tokenFile = `${folder}/tokens`;
    const virtualServer = await OAuthServer.start(SECRETS, () => clock.now());
    const real = await open({ tokenFile });
    const virtual = await open({ tokenFile, url: virtualServer.url, accounts: await oneAccount('virtual') });
    const tokens = [await real.credentials.token(signal), await virtual.credentials.token(signal)];
    expect(tokens).toEqual([server.issued[0], virtualServer.issued[0]]);
    expect(new Set(tokens).size).toBe(2);
  });

  it('from a file outlives the process', async () => {
    const { server, folder, open } = await openScene();
    const first = await open({ tokenFile: `${folder}/tokens` });
    const token = await first.credentials.token(signal);
    await first.auth.close();
    const second = await open({ tokenFile: `${folder}/tokens` });
    expect(await second.credentials.token(signal)).toBe(token);
    expect(server.count('/oauth2/tokenP')).toBe(1);
    expect(second.credentials.statistics.token).toMatchObject({ issues: 0 });
  });

  it('is used no longer than the settings say', async () => {
    const { clock, server, open } = await openScene();
    const { credentials } = await open({ cacheTtlMs: 8 * HOUR });
    await credentials.token(signal);
    clock.advance(8 * HOUR);
    await clock.until(credentials.token(signal));
    expect(server.count('/oauth2/tokenP')).toBe(2);
  });
});

describe('KIS is not hammered', () => {
  it('without a token file a restart asks again only after the minute, and gets the same token', async () => {
    const { clock, server, open } = await openScene();
    const first = await open();
    const token = await first.credentials.token(signal);
    await first.auth.close();
    const second = await open();
    const before = clock.now();
    expect(await clock.until(second.credentials.token(signal))).toBe(token);
    expect(clock.now() - before).toBeGreaterThanOrEqual(61_000);
    expect(server.count('/oauth2/tokenP')).toBe(2);
    expect(second.credentials.statistics.token.waits).toBeGreaterThan(0);
  });

  it('a process that dies over its request keeps the next one from asking within the minute', async () => {
    const { clock, server, open } = await openScene();
    server.fail({ kind: 'silence' });
    const dying = await open();
    const asked = server.nextRequest();
    const lost = dying.credentials.token(signal).catch((error: unknown) => error);
    await asked;
    await dying.auth.close();
    expect(await lost).toMatchObject({ code: 'CONNECTION_STATE' });
    const next = await open();
    const before = clock.now();
    await clock.until(next.credentials.token(signal));
    expect(clock.now() - before).toBeGreaterThanOrEqual(61_000);
  });

  it('EGW00133 waits for at least 61 s', async () => {
    const { clock, server, open } = await openScene();
    server.fail({ kind: 'code', code: 'EGW00133', status: 403 });
    const { credentials } = await open();
    const before = clock.now();
    await clock.until(credentials.token(signal));
    expect(clock.now() - before).toBeGreaterThanOrEqual(61_000);
    expect(credentials.statistics.token.errors).toEqual({ EGW00133: 1 });
    expect(server.count('/oauth2/tokenP')).toBe(2);
  });

  it.each([
    { kind: 'body', body: '<html>502</html>', status: 502 },
    { kind: 'half' },
    { kind: 'body', body: '{}' },
    { kind: 'code', code: 'EGW00002', status: 200 },
    { kind: 'code', code: 'EGW77777', status: 500 },
  ] as const)('after $kind $code $status it asks again a minute later, and then ever more seldom', async (fault) => {
    const { clock, server, open } = await openScene();
    server.fail(...Array.from({ length: 9 }, () => fault));
    const { credentials } = await open();
    await clock.until(credentials.token(signal));
    const times = server.requests.map(({ at }) => at);
    const waits = times.slice(1).map((at, n) => at - (times[n] ?? 0));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(61_000);
    expect(waits.at(-1)).toBeGreaterThan(15 * MINUTE);
  });

  it('a refused secret is final for an hour, through restarts, until it is another one', async () => {
    const { clock, server, open } = await openScene();
    const wrong = { accounts: await oneAccount('real', 'w'.repeat(180)) };
    for (let restart = 0; restart < 3; restart += 1) {
      const { credentials, auth } = await open(wrong);
      await expect(credentials.token(signal)).rejects.toMatchObject({
        code: 'CONFIG_ACCOUNT',
        retryable: false,
        context: { kis_code: 'EGW00105' },
      });
      await auth.close();
    }
    expect(server.count('/oauth2/tokenP')).toBe(1);
    const { credentials } = await open();
    expect(await clock.until(credentials.token(signal))).toBe(server.issued[0]);
    clock.advance(2 * HOUR);
    await expect((await open(wrong)).credentials.token(signal)).rejects.toMatchObject({ code: 'CONFIG_ACCOUNT' });
    expect(server.count('/oauth2/tokenP')).toBe(3);
  });

  it('a clock that makes every token look old is told, not answered with one token after the other', async () => {
    const { clock, server, open } = await openScene();
    server.fail(...Array.from({ length: 3 }, () => ({ kind: 'body', body: OLD_TOKEN }) as const));
    const { credentials } = await open();
    const before = clock.now();
    await clock.until(credentials.token(signal));
    expect(server.count('/oauth2/tokenP')).toBe(4);
    expect(clock.now() - before).toBeGreaterThanOrEqual(3 * 61_000);
    expect(credentials.statistics.token.errors).toEqual({ network: 3 });
  });
});

const OLD_TOKEN = JSON.stringify({
  access_token: 'old',
  expires_in: 86_400,
  access_token_token_expired: '2026-11-21 09:05:00',
});

describe('an approval key', () => {
  it('is shared like a token, and asked for with the field that its address wants', async () => {
    const { server, folder, open } = await openScene();
    const [a, b] = [await open({ tokenFile: `${folder}/tokens` }), await open({ tokenFile: `${folder}/tokens` })];
    const key = await a.credentials.approvalKey(signal);
    expect(await b.credentials.approvalKey(signal)).toBe(key);
    expect(server.requests).toMatchObject([{ path: '/oauth2/Approval', body: { appkey: API_KEY } }]);
    expect(Object.keys(server.requests[0]?.body ?? {})).toEqual(['grant_type', 'appkey', 'secretkey']);
  });

  it('that is refused is replaced once, and then not before ten minutes', async () => {
    const { clock, server, open } = await openScene();
    const { credentials } = await open();
    const first = await credentials.approvalKey(signal);
    credentials.invalidateApprovalKey(first);
    const second = await clock.until(credentials.approvalKey(signal));
    expect(second).not.toBe(first);
    credentials.invalidateApprovalKey(second);
    expect(await credentials.approvalKey(signal)).toBe(second);
    clock.advance(10 * MINUTE);
    credentials.invalidateApprovalKey(second);
    expect(await clock.until(credentials.approvalKey(signal))).not.toBe(second);
    expect(server.count('/oauth2/Approval')).toBe(3);
    expect(credentials.statistics.approvalKey.issues).toBe(3);
  });
});

describe('a wait', () => {
  it('ends with its own signal while the issue goes on for others', async () => {
    const { clock, server, open } = await openScene();
    server.fail({ kind: 'code', code: 'EGW00133', status: 403 });
    const { credentials } = await open();
    const impatient = new AbortController();
    const left = credentials.token(impatient.signal).catch((error: unknown) => error);
    const stays = credentials.token(signal);
    await clock.sleeping();
    expect(credentials.statistics.token.waitingFor).toContain('EGW00133');
    impatient.abort(new Error('no longer wanted'));
    expect(await left).toMatchObject({ message: 'no longer wanted' });
    expect(await clock.until(stays)).toBe(server.issued[0]);
    expect(credentials.statistics.token.waitingFor).toBeUndefined();
    await expect(credentials.token(impatient.signal)).rejects.toThrow('no longer wanted');
  });

  it('is refused settings under which every token would be due at once', async () => {
    const { open } = await openScene();
    await expect(open({ cacheTtlMs: 1_000, refreshBeforeMs: 900 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
