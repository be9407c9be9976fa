import { createCipheriv } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings, defineSettings, sharedKis } from '@aipx/service';
import type { Subscription } from '@aipx/venue';
import { createKisSimulator } from '@aipx/venue-kis/simulator';
import { startVenueSimulator } from '@aipx/venue-simulator';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openSimulatedVenue, openVenue, venueById, type OwnValues } from '../src/index.js';

/** 2026-11-23 (a Monday) 10:00 in Korea. */
const MONDAY_MORNING = BigInt(Date.UTC(2026, 10, 23, 1)) * 1_000_000n;
const KEYS = { KIS_API_KEY: 'a-made-up-app-key', KIS_API_SECRET: 'a-made-up-app-secret' };
const NOWHERE = 'http://127.0.0.1:9';

let machineFolder: string;

beforeEach(async () => {
  machineFolder = await mkdtemp(join(tmpdir(), 'aipx-registry-'));
});

afterEach(async () => {
  await rm(machineFolder, { recursive: true });
});

async function own(environment: Readonly<Record<string, string>>): Promise<OwnValues> {
  const schema = defineSettings({ app: 'test', tree: { kis: sharedKis } });
  const { values } = await loadSettings(schema, { environment: { ...KEYS, ...environment }, folder: machineFolder });
  return values.kis;
}

async function openKis(environment: Readonly<Record<string, string>>, apiUrl = NOWHERE) {
  const { websocketUrl } = venueById('kis').driver.defaults;
  return await openVenue('kis', await own(environment), { websocketUrl, apiUrl, machineFolder });
}

describe('opening a venue', () => {
  it('that asks for no key yields its driver and the addresses given', async () => {
    const { driver } = venueById('upbit');
    const open = await openVenue('upbit', {}, { websocketUrl: 'ws://127.0.0.1:9/', apiUrl: NOWHERE });
    expect(open).toMatchObject({ driver, websocketUrl: 'ws://127.0.0.1:9/', apiUrl: NOWHERE, notes: [], metrics: [] });
    expect(open.accesses).toBeUndefined();
    expect(open.status()).toEqual({ waitsFor: [] });
    await open.close();
  });

  it('KIS yields one leave to connect a key, and tells no key', async () => {
    const accounts = join(machineFolder, 'accounts');
    await writeFile(accounts, 'one first-app-key first-app-secret\ntwo second-app-key second-app-secret\n', {
      mode: 0o600,
    });
    const secrets: string[] = [];
    const values = { ...(await own({ KIS_ACCOUNTS_FILE: accounts })), apiKey: undefined, apiSecret: undefined };
    const context = { websocketUrl: 'ws://127.0.0.1:9/', apiUrl: NOWHERE, machineFolder };
    const open = await openVenue('kis', values, { ...context, keepSecret: (secret) => secrets.push(secret) });
    expect(open.accesses).toHaveLength(2);
    expect(open.notes).toEqual([
      '2 app keys with 127.0.0.1:9 (KIS_WEBSOCKET_URL) and 127.0.0.1:9 (KIS_API_URL) instead of the real servers of KIS; ' +
        'tokens and approval keys are kept in memory (REDIS_HOST shares them between machines, KIS_TOKEN_FILE keeps them ' +
        'through restarts)',
    ]);
    expect(secrets).toEqual(['first-app-key', 'first-app-secret', 'second-app-key', 'second-app-secret']);
    await open.close();
  });

  it('KIS with KIS_USE_VIRTUAL_SERVER goes to the servers of simulated trading, unless an address is set', async () => {
    const { apiUrl } = venueById('kis').driver.defaults;
    const open = await openKis({ KIS_USE_VIRTUAL_SERVER: 'true' }, apiUrl);
    expect(open.websocketUrl).toBe('ws://ops.koreainvestment.com:31000/tryitout');
    expect(open.apiUrl).toBe('https://openapivts.koreainvestment.com:29443');
    expect(open.notes[0]).toContain('one app key for the virtual servers of KIS; tokens');
    await open.close();
    const elsewhere = await openKis({ KIS_USE_VIRTUAL_SERVER: 'true' }, NOWHERE);
    expect(elsewhere.apiUrl).toBe(NOWHERE);
    await elsewhere.close();
  });

  it.each([
    ['NXT', 'true', 'KIS_SEGMENT (environment): NXT is not to be had from the servers of simulated trading'],
    ['UN', 'true', 'expected KRX, or KIS_USE_VIRTUAL_SERVER=false with a key of real trading'],
    ['KRX', 'true', undefined],
    ['NXT', 'false', undefined],
  ])('KIS_SEGMENT %s with KIS_USE_VIRTUAL_SERVER=%s: %s', async (segment, isVirtual, refusal) => {
    const rules = venueById('kis').opening?.rulesInUse ?? [];
    const schema = defineSettings({ app: 'test', tree: { kis: sharedKis }, rules });
    const environment = { ...KEYS, KIS_SEGMENT: segment, KIS_USE_VIRTUAL_SERVER: isVirtual };
    const loaded = loadSettings(schema, { environment, folder: machineFolder });
    if (refusal === undefined) return expect((await loaded).values.kis.segment).toBe(segment);
    await expect(loaded).rejects.toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(refusal) as string }),
    );
  });

  it('KIS goes by the days of KIS_CALENDAR_FILE', async () => {
    const file = join(machineFolder, 'calendar.json');
    await writeFile(file, '{"days":[{"date":"2026-11-23","open":false}]}');
    const usual = await openKis({});
    expect(usual.driver.isDataExpected?.(MONDAY_MORNING)).toBe(true);
    await usual.close();
    const closed = await openKis({ KIS_CALENDAR_FILE: file });
    expect(closed.driver.isDataExpected?.(MONDAY_MORNING)).toBe(false);
    await closed.close();
  });

  it('KIS reads encrypted frames with the key that came with their registration', async () => {
    const { driver, close } = await openKis({});
    const session = driver.openSession({
      subscriptions: [{ symbol: '005930', channel: 'tick' }],
      bookDepth: 10,
      connectionId: 'c',
      secret: 's',
    });
    const read = (text: string) => session.read(new TextEncoder().encode(text), MONDAY_MORNING);
    const [key, iv] = ['abcdefghijklmnopabcdefghijklmnop', '0123456789abcdef'];
    const header = { tr_id: 'H0STCNT0', tr_key: '005930', encrypt: 'Y' };
    const body = { rt_cd: '0', msg_cd: 'OPSP0000', msg1: 'SUBSCRIBE SUCCESS', output: { key, iv } };
    read(JSON.stringify({ header, body }));
    const aes = createCipheriv('aes-256-cbc', key, iv);
    const payload = aes.update('000660'.padEnd(6 + 46, '^'), 'utf8', 'base64') + aes.final('base64');
    expect(read(`1|H0STCNT0|001|${payload}`)).toMatchObject({ records: [{ outcome: 'ignored', symbol: '000660' }] });
    await close();
  });

  it.each([
    ['KIS_CALENDAR_FILE', 'calendar.json', '{"days":[{"date":"soon"}]}', 'CONFIG_INVALID', /calendar\.json: .*"soon"/],
    [
      'KIS_TOKEN_FILE',
      'tokens',
      'not one of ours',
      'CONFIG_ACCOUNT',
      /KIS_TOKEN_FILE: .*tokens is no file that this wrote/,
    ],
  ])('KIS refuses a wrong %s', async (name, file, text, code, message) => {
    await writeFile(join(machineFolder, file), text, { mode: 0o600 });
    await expect(openKis({ [name]: join(machineFolder, file) })).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    );
    await expect(openKis({ KIS_CALENDAR_FILE: join(machineFolder, 'none') })).rejects.toThrow('KIS_CALENDAR_FILE');
  });

  it('KIS has its approval keys kept out of the log', async () => {
    const { symbols } = await venueById('kis').loadSimulator();
    const subscriptions = symbols.slice(0, 1).map((symbol): Subscription => ({ symbol, channel: 'tick' }));
    const server = await startVenueSimulator({
      venue: createKisSimulator(),
      source: { kind: 'market', seed: 1, rate: 1 },
      signal: new AbortController().signal,
    });
    onTestFinished(() => server.stop());
    const secrets: string[] = [];
    const keepSecret = (secret: string) => void secrets.push(secret);
    const context = { websocketUrl: server.websocketUrl, apiUrl: server.apiUrl, machineFolder, keepSecret };
    const open = await openSimulatedVenue('kis', context, subscriptions);
    const pass = await open.accesses?.[0]?.enter(new AbortController().signal);
    expect(secrets).toEqual([pass?.secret]);
    pass?.left(undefined, true);
    await open.close();
  });

  it('against a simulator has as many made-up keys as the streams take, new ones each time', async () => {
    const { symbols } = await venueById('kis').loadSimulator();
    const subscriptions = symbols.slice(0, 20).map((symbol): Subscription => ({ symbol, channel: 'tick' }));
    const context = { websocketUrl: 'ws://127.0.0.1:9/', apiUrl: NOWHERE, machineFolder };
    const open = await openSimulatedVenue('kis', context, subscriptions);
    const [few] = venueById('kis').driver.spread?.(subscriptions, 99) ?? [];
    expect(open.accesses?.length).toBe(Math.ceil(subscriptions.length / (few?.length ?? 1)));
    expect(open.metrics.map(({ name }) => name)).toContain('kis_token_age_seconds');
    await open.close();
  });
});
