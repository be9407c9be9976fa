import { startVenueSimulator, type VenueSimulator } from '@aipx/venue-simulator';
import { afterEach, describe, expect, it } from 'vitest';
import type { KisSimulatorSettings } from './settings.js';
import { createKisSimulator, type KisSimulator } from './venue.js';

const ACCOUNT = { appkey: 'K'.repeat(36), appsecret: 'S'.repeat(180) };
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let host: VenueSimulator | undefined;
let venue: KisSimulator;
let wall = 0;

afterEach(async () => {
  await host?.stop();
  host = undefined;
});

async function start(settings: KisSimulatorSettings = {}): Promise<void> {
  wall = 0;
  const day = { date: '20261123', from: '080000', speed: 1 };
  venue = createKisSimulator({ accounts: [ACCOUNT], day, wall: () => wall, ...settings });
  host = await startVenueSimulator({
    venue,
    source: { kind: 'market', seed: 1, rate: 100 },
    faultsEndpoint: true,
    signal: new AbortController().signal,
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(path: string, body: unknown): Promise<Answer> {
  return read(
    await fetch(`${host?.apiUrl ?? ''}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=UTF-8' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );
}

async function read(response: Response): Promise<Answer> {
  const body = (await response.json()) as Answer['body'];
  return { status: response.status, headers: response.headers, body };
}

const token = (account: object = ACCOUNT): Promise<Answer> =>
  post('/oauth2/tokenP', { grant_type: 'client_credentials', ...account });

async function holidays(accessToken: unknown, query = 'BASS_DT=20261123&CTX_AREA_FK=&CTX_AREA_NK='): Promise<Answer> {
  const headers = { ...ACCOUNT, authorization: `Bearer ${String(accessToken)}`, tr_id: 'CTCA0903R', custtype: 'P' };
  return read(await fetch(`${host?.apiUrl ?? ''}/uapi/domestic-stock/v1/quotations/chk-holiday?${query}`, { headers }));
}

describe('an access token', () => {
  it('is issued for 24 hours of the simulated clock', async () => {
    await start();
    const { status, body } = await token();
    expect(status).toBe(200);
    expect(body).toEqual({
      access_token: expect.stringMatching(/^eyJ.{100,347}$/) as string,
      access_token_token_expired: '2026-11-24 08:00:00',
      token_type: 'Bearer',
      expires_in: 86_400,
    });
  });

  it('is refused for a second time within a minute, with HTTP 403 and names of its own', async () => {
    await start();
    await token();
    wall += MINUTE_MS - 1;
    expect(await token()).toMatchObject({
      status: 403,
      body: { error_description: '접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)', error_code: 'EGW00133' },
    });
    wall += 1;
    expect((await token()).status).toBe(200);
    expect(venue.usage(ACCOUNT.appkey)).toMatchObject({ tokens: 2, newTokens: 1, refusedTokens: 1 });
  });

  it('stays the same for six hours, then there is a new one', async () => {
    await start();
    const first = await token();
    wall += 6 * HOUR_MS - 1;
    const again = await token();
    expect(again.body['access_token']).toBe(first.body['access_token']);
    expect(again.body['access_token_token_expired']).toBe('2026-11-24 08:00:00');
    wall += MINUTE_MS;
    expect((await token()).body['access_token']).not.toBe(first.body['access_token']);
  });

  it.each([
    ['without a key', {}, 'EGW00102'],
    ['with a wrong key', { ...ACCOUNT, appkey: 'nobody' }, 'EGW00103'],
    ['without a secret', { appkey: ACCOUNT.appkey }, 'EGW00104'],
    ['with a wrong secret', { ...ACCOUNT, appsecret: 'wrong' }, 'EGW00105'],
    ['with another grant type', { ...ACCOUNT, grant_type: 'password' }, 'EGW00101'],
  ])('is refused %s', async (_, account, code) => {
    await start();
    expect(await token(account)).toMatchObject({ status: 403, body: { error_code: code } });
  });

  it('opens a call until it expires or is revoked', async () => {
    await start();
    const { access_token: value } = (await token()).body;
    expect(await holidays(value)).toMatchObject({ status: 200, body: { rt_cd: '0', msg_cd: 'MCA00000' } });
    wall += 24 * HOUR_MS;
    expect(await holidays(value)).toMatchObject({ status: 500, body: { rt_cd: '1', msg_cd: 'EGW00123' } });

    const { access_token: next } = (await token()).body;
    expect(await post('/oauth2/revokeP', { ...ACCOUNT, token: next })).toMatchObject({
      status: 200,
      body: { code: 200, message: '접근토큰 폐기에 성공하였습니다' },
    });
    expect(await holidays(next)).toMatchObject({ status: 500, body: { msg_cd: 'EGW00121' } });
    expect(await holidays('made-up')).toMatchObject({ status: 500, body: { msg_cd: 'EGW00121' } });
  });

  it.each([
    ['expire-tokens', 'EGW00123'],
    ['revoke-tokens', 'EGW00121'],
  ])('ends early on request: %s', async (name, code) => {
    await start();
    const { access_token: value } = (await token()).body;
    const fault = await fetch(new URL('/__simulator/faults', host?.apiUrl), {
      method: 'POST',
      body: JSON.stringify({ fault: 'venue', own: { name } }),
    });
    expect(fault.status).toBe(204);
    expect(await holidays(value)).toMatchObject({ body: { msg_cd: code } });
    wall += MINUTE_MS;
    expect((await token()).body['access_token']).not.toBe(value);
  });

  it('is refused on request, for its limit or for its key', async () => {
    await start();
    host?.inject({ fault: 'venue', own: { name: 'token-limit', on: true } });
    expect((await token()).body).toMatchObject({ error_code: 'EGW00133' });
    host?.inject({ fault: 'venue', own: { name: 'wrong-keys', on: true } });
    expect((await token()).body).toMatchObject({ error_code: 'EGW00103' });
  });
});

describe('an approval key', () => {
  it('wants the secret under the name secretkey', async () => {
    await start();
    const ask = (secret: object): Promise<Answer> =>
      post('/oauth2/Approval', { grant_type: 'client_credentials', appkey: ACCOUNT.appkey, ...secret });
    expect((await ask({ secretkey: ACCOUNT.appsecret })).body['approval_key']).toMatch(/^[0-9a-f-]{36}$/);
    expect(await ask({ appsecret: ACCOUNT.appsecret })).toMatchObject({ body: { error_code: 'EGW00104' } });
    expect(venue.usage(ACCOUNT.appkey).approvalKeys).toBe(1);
  });
});

describe('the calendar', () => {
  it('marks weekends and holidays, a page at a time', async () => {
    await start({ holidays: ['20261225'] });
    const { access_token: value } = (await token()).body;
    const first = await holidays(value);
    const rows = first.body['output'] as Readonly<Record<string, string>>[];
    expect(rows[0]).toEqual({
      bass_dt: '20261123',
      wday_dvsn_cd: '02',
      bzdy_yn: 'Y',
      tr_day_yn: 'Y',
      opnd_yn: 'Y',
      sttl_day_yn: 'Y',
    });
    expect(rows.find(({ bass_dt }) => bass_dt === '20261128')?.['opnd_yn']).toBe('N');
    expect(rows.find(({ bass_dt }) => bass_dt === '20261225')?.['opnd_yn']).toBe('N');
    expect(first.headers.get('tr_cont')).toBe('M');

    const dates = rows.map(({ bass_dt }) => bass_dt);
    let page = first;
    while (page.headers.get('tr_cont') === 'M') {
      page = await holidays(value, `BASS_DT=20261123&CTX_AREA_FK=&CTX_AREA_NK=${String(page.body['ctx_area_nk'])}`);
      dates.push(...(page.body['output'] as typeof rows).map(({ bass_dt }) => bass_dt));
    }
    expect(page.headers.get('tr_cont')).toBe('D');
    expect(new Set(dates).size).toBe(dates.length);
    expect(dates.at(-1)).toMatch(/^2027112/);
    expect(venue.usage(ACCOUNT.appkey).calendarCalls).toBe(4);
  });
});
