import { describe, expect, it } from 'vitest';
import { OAuthClient } from '../src/oauth/oauth-client.js';
import { KisAccount } from '../src/index.js';
import { API_KEY, API_SECRET, MORNING, SECRETS } from './support/keys.js';
import { OAuthServer, type Fault } from './support/oauth-server.js';

const { signal } = new AbortController();
const account = new KisAccount('main', 'real', API_KEY, API_SECRET);

async function startClient(fault?: Fault, timeoutMs = 5_000) {
  const server = await OAuthServer.start(SECRETS, () => MORNING);
  if (fault !== undefined) server.fail(fault);
  return { server, client: new OAuthClient({ url: server.url, now: () => MORNING, timeoutMs }) };
}

describe('the OAuth client', () => {
  it('reads the end of a token from Korea’s wall clock', async () => {
    const { client } = await startClient({
      kind: 'body',
      body: '{"access_token":"t","expires_in":86400,"access_token_token_expired":"2026-11-22 08:00:00"}',
    });
    expect(await client.issueToken(account, signal)).toEqual({
      value: 't',
      issuedAt: MORNING - 3_600_000,
      expiresAt: Date.UTC(2026, 10, 21, 23),
    });
  });

  it.each([
    ['"expires_in":86400', 86_400_000],
    ['"expires_in":86400,"access_token_token_expired":"tomorrow"', 86_400_000],
    ['"expires_in":7776000,"access_token_token_expired":"2099-01-01 00:00:00"', 7_776_000_000],
    ['"access_token_token_expired":"2026-11-21 10:00:00"', 3_600_000],
  ])('takes the earlier of what %s says', async (fields, lifeMs) => {
    const { client } = await startClient({ kind: 'body', body: `{"access_token":"t",${fields}}` });
    expect((await client.issueToken(account, signal)).expiresAt).toBe(MORNING + lifeMs);
  });

  it.each([
    ['a bad key, whatever the status', 'EGW00103', 200, 'CONFIG_ACCOUNT', 'app key or the app secret is wrong'],
    ['a bad secret', 'EGW00105', 403, 'CONFIG_ACCOUNT', 'app key or the app secret is wrong'],
    ['the key of the other server', 'EGW02004', 500, 'CONFIG_ACCOUNT', 'KIS_USE_VIRTUAL_SERVER=true'],
    ['a key without the right', 'EGW00206', 403, 'CONFIG_ACCOUNT', 'in the portal'],
    ['what is not offered', 'EGW00213', 500, 'CONFIG_ACCOUNT', 'does not offer'],
    ['a malformed request', 'EGW00113', 400, 'CONFIG_ACCOUNT', 'not what KIS expects'],
    ['a second token in the minute', 'EGW00133', 403, 'CONNECTION_REFUSED_BY_VENUE', 'EGW00133'],
    ['a fault that passes', 'EGW00001', 200, 'CONNECTION_REFUSED_BY_VENUE', 'EGW00001'],
    ['a code that no table lists', 'EGW12345', 500, 'CONNECTION_REFUSED_BY_VENUE', 'EGW12345'],
    ['a code that is none', 'x', 500, 'CONNECTION_REFUSED_BY_VENUE', 'an unreadable code'],
  ])('tells %s by its code', async (_, code, status, ours, words) => {
    const { client } = await startClient({ kind: 'code', code, status });
    const refused = client.issueToken(account, signal);
    await expect(refused).rejects.toMatchObject({ code: ours, retryable: ours !== 'CONFIG_ACCOUNT' });
    await expect(refused).rejects.toThrow(words);
  });

  it('names the other setting for a real key on the virtual server', async () => {
    const { client } = await startClient({ kind: 'code', code: 'EGW02004', status: 200 });
    const virtual = new KisAccount('main', 'virtual', API_KEY, API_SECRET);
    await expect(client.issueToken(virtual, signal)).rejects.toThrow('KIS_USE_VIRTUAL_SERVER=false');
  });

  it('reads a code under the name that the other addresses give it', async () => {
    const { client } = await startClient({ kind: 'body', status: 500, body: '{"rt_cd":"1","msg_cd":"EGW00002"}' });
    await expect(client.issueApprovalKey(account, signal)).rejects.toMatchObject({ context: { kis_code: 'EGW00002' } });
  });

  it.each([
    ['a page instead of an answer', { kind: 'body', body: '<html>', status: 502 }, 'HTTP 502'],
    ['a list', { kind: 'body', body: '[]' }, 'without what was asked for'],
    ['null', { kind: 'body', body: 'null' }, 'without what was asked for'],
    ['an empty token', { kind: 'body', body: '{"access_token":"","expires_in":1}' }, 'without what was asked for'],
    ['a token without an end', { kind: 'body', body: '{"access_token":"t","expires_in":0}' }, 'without what was'],
    ['half an answer', { kind: 'half' }, 'could not be reached'],
    ['an answer without end', { kind: 'body', body: ' '.repeat(70_000) }, 'more than 65536 bytes'],
    ['a redirect, which would get the secret', { kind: 'redirect', to: 'http://127.0.0.1:9/' }, 'could not be reached'],
  ] as const)('takes %s for no answer', async (_, fault, words) => {
    const { client } = await startClient(fault);
    const failed = client.issueToken(account, signal);
    await expect(failed).rejects.toMatchObject({ code: 'CONNECTION_FAILED', retryable: true });
    await expect(failed).rejects.toThrow(words);
  });

  it('sends the secret nowhere else than to its address', async () => {
    const elsewhere = await OAuthServer.start({ [API_KEY]: API_SECRET });
    const { client } = await startClient({ kind: 'redirect', to: `${elsewhere.url}/oauth2/tokenP` });
    await expect(client.issueToken(account, signal)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
    expect(elsewhere.requests).toEqual([]);
  });

  it('takes an answer without an approval key for none', async () => {
    const { client } = await startClient({ kind: 'body', body: '{"approval_key":7}' });
    await expect(client.issueApprovalKey(account, signal)).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });

  it('says where nobody answers, why, and what to look at', async () => {
    const { server, client } = await startClient();
    const { host, port } = new URL(server.url);
    await server.stop();
    await expect(client.issueApprovalKey(account, signal)).rejects.toThrow(
      `${host} could not be reached (connect ECONNREFUSED ${host}) for /oauth2/Approval; check KIS_API_URL, and that no firewall`,
    );
    // Of a name with several addresses.
    const named = new OAuthClient({ url: `http://localhost:${port}` });
    await expect(named.issueApprovalKey(account, signal)).rejects.toThrow(`ECONNREFUSED 127.0.0.1:${port}`);
  });

  it('gives up on silence after its time', async () => {
    const { client } = await startClient({ kind: 'silence' }, 50);
    await expect(client.issueToken(account, signal)).rejects.toThrow('could not be reached (no answer within 50 ms)');
  });

  it('ends with the signal, with its reason', async () => {
    const { client, server } = await startClient({ kind: 'silence' });
    const stop = new AbortController();
    const asked = server.nextRequest();
    const ended = client.issueToken(account, stop.signal).catch((error: unknown) => error);
    await asked;
    stop.abort(new Error('stopped'));
    expect(await ended).toMatchObject({ message: 'stopped' });
  });
});
