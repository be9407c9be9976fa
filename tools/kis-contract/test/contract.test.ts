import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KisAccounts, KisAuth } from '@aipx/kis-auth';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../src/findings.ts';
import { contractRun, type Outcome } from './support/contract-run.ts';
import { ACCOUNT, simulatedKis } from './support/simulated-kis.ts';

const SHORT = ['--minutes', '0.02'];
/** Trading of the simulated KIS never changes its state. */
const OPERATIONS = ['width.H0STMKO0', 'width.H0NXMKO0', 'width.H0UNMKO0'];

describe.concurrent('a contract run against a KIS that does what is documented', () => {
  it('finds every check right on the real servers, and shows no secret', async () => {
    await using kis = await simulatedKis({ missing: '(null)', faults: [{ name: 'invalid-utf8', count: 3 }] });
    const run = await contractRun(['--real', ...SHORT, '--token-limit'], kis.settings);
    const expected = CHECKS.map((check) => `${OPERATIONS.includes(check) ? 'NOT SEEN' : 'ok'} ${check}`);
    expect(run.verdicts.toSorted(), run.output + run.errors).toEqual(expected.toSorted());
    expect(run.output).toContain(`kis contract run: ${CHECKS.length - 3} ok, 0 differ, 3 not seen`);
    expect(run.code).toBe(0);
    // Account, token, approval key, and key and iv of nine registrations.
    expect(kis.secrets.size).toBe(2 + 2 + 2 * 9);
    for (const secret of kis.secrets) expect(run.output + run.errors).not.toContain(secret);
  });

  it('asks the virtual servers first, for KRX trades and books, and not for the calendar', async () => {
    await using kis = await simulatedKis();
    const run = await contractRun(SHORT, kis.settings);
    expect(differences(run), run.output + run.errors).toEqual([]);
    expect(run.output).toContain('virtual servers');
    expect(run.verdicts.filter((verdict) => verdict.includes('width.'))).toEqual([
      'ok width.H0STCNT0',
      'ok width.H0STASP0',
    ]);
    expect(run.verdicts).toContain('NOT SEEN calendar.answer');
    expect(run.verdicts).toContain('NOT SEEN token.limit');
    expect(run.code).toBe(0);
  });

  it('does not take a closed market for a difference', async () => {
    await using kis = await simulatedKis({ rate: 0.001 });
    const run = await contractRun(SHORT, kis.settings);
    expect(differences(run), run.output + run.errors).toEqual([]);
    expect(run.verdicts).toContain('NOT SEEN width.H0STCNT0');
    expect(run.verdicts).toContain('NOT SEEN trade.volumes');
    expect(run.verdicts).toContain('ok subscription.answer');
    expect(run.code).toBe(0);
  });
});

describe.concurrent('a contract run that is interrupted', () => {
  it('closes its session and gives the key back', async () => {
    await using kis = await simulatedKis();
    const run = await contractRun(['--minutes', '10'], kis.settings, 'listening to 2 streams');
    expect(run.code, run.output + run.errors).toBe(130);
    expect(kis.closes).toEqual([1000]);
  });
});

describe.concurrent('a contract run beside a service', () => {
  it('leaves a key alone whose session is held', async () => {
    await using kis = await simulatedKis();
    const folder = await mkdtemp(join(tmpdir(), 'aipx-kis-contract-'));
    const tokenFile = join(folder, 'tokens');
    const { appkey: apiKey, appsecret: apiSecret } = ACCOUNT;
    const accounts = await KisAccounts.load({ environment: 'virtual', apiKey, apiSecret });
    const service = await KisAuth.open({ accounts, tokenFile });
    const lease = await service.keys[0]?.claimLease(AbortSignal.timeout(10_000));
    try {
      const run = await contractRun(SHORT, { ...kis.settings, KIS_TOKEN_FILE: tokenFile });
      expect(run.line('socket.open'), run.output + run.errors).toContain('another process holds it');
      expect(run.verdicts).toContain('NOT SEEN socket.open');
      expect(kis.closes).toEqual([]);
      expect(run.code).toBe(0);
    } finally {
      await lease?.release();
      await service.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe.concurrent('a contract run names what differs', () => {
  it('a key that KIS does not know', async () => {
    await using kis = await simulatedKis({ faults: [{ name: 'wrong-keys', on: true }] });
    const run = await contractRun(SHORT, kis.settings);
    expectDifferences(run, ['token.answer', 'approval.answer']);
    expect(run.line('token.answer')).toContain('EGW00103');
    expect(run.line('token.answer')).toContain('the app key or the app secret is wrong');
    expect(run.verdicts).toContain('NOT SEEN socket.open');
  });

  it('records of a width that nobody knows', async () => {
    await using kis = await simulatedKis({ widths: { H0STCNT0: 48 } });
    const run = await contractRun(SHORT, kis.settings);
    expectDifferences(run, ['width.H0STCNT0']);
    expect(run.line('width.H0STCNT0')).toMatch(/expected 47 or 46 fields a record; came 48 fields \d+ times/);
  });

  it('PINGPONG that do not come', async () => {
    await using kis = await simulatedKis({ faults: [{ name: 'drop-pingpong', on: true }] });
    const run = await contractRun(SHORT, { ...kis.settings, KIS_SILENCE_TIMEOUT: '1s' });
    expectDifferences(run, ['pingpong.interval']);
    expect(run.line('pingpong.interval')).toContain('never more than 1.0 s without one');
    expect(run.line('pingpong.interval')).toContain('came none in');
  });

  it('subscriptions that are not acknowledged', async () => {
    await using kis = await simulatedKis({ acknowledgeAfterMs: 600_000 });
    const run = await contractRun(SHORT, kis.settings);
    expectDifferences(run, ['subscription.answer']);
    expect(run.line('subscription.answer')).toContain('no answer for H0STCNT0 005930, H0STASP0 005930');
  });

  it('a token answer that lacks a field', async () => {
    await using kis = await simulatedKis({
      rest: ({ path }, answer) =>
        path === '/oauth2/tokenP' ? { ...answer, body: answer.body.replace(/,"expires_in":\d+/, '') } : answer,
    });
    const run = await contractRun(SHORT, kis.settings);
    expectDifferences(run, ['token.fields']);
    expect(run.line('token.fields')).toContain('came no expires_in');
    for (const secret of kis.secrets) expect(run.output + run.errors).not.toContain(secret);
  });

  it('a page of HTML where the calendar should be', async () => {
    const body = '<html><title>502 Bad Gateway</title></html>';
    await using kis = await simulatedKis({
      rest: ({ method }, answer) =>
        method === 'GET' ? { status: 502, body, headers: { 'content-type': 'text/html' } } : answer,
    });
    const run = await contractRun(['--real', ...SHORT], kis.settings);
    expectDifferences(run, ['calendar.answer']);
    expect(run.line('calendar.answer')).toContain(
      'came HTTP 502 with text/html, no JSON: "<html><title>502 Bad Gateway',
    );
  });

  it('trades that are missing', async () => {
    await using kis = await simulatedKis({ lossShare: 0.2 });
    const run = await contractRun(SHORT, kis.settings);
    expectDifferences(run, ['trade.volumes']);
    expect(run.line('trade.volumes')).toMatch(/H0STCNT0 005930 \d+ shares missing/);
  });

  it('a key that is in use elsewhere', async () => {
    await using kis = await simulatedKis({ faults: [{ name: 'already-in-use', on: true }] });
    const run = await contractRun(SHORT, kis.settings);
    expectDifferences(run, ['socket.kept', 'subscription.answer']);
    expect(run.line('subscription.answer')).toContain('OPSP8996 "ALREADY IN USE appkey"');
  });

  it('a connection that does not last', async () => {
    await using kis = await simulatedKis({ hangsUp: true });
    const run = await contractRun(SHORT, kis.settings);
    expectDifferences(run, ['socket.kept', 'subscription.answer']);
    expect(run.line('socket.kept')).toMatch(/ended without a close frame|reset the connection/);
  });

  it('an approval key that is refused, which KIS repeats and the run does not', async () => {
    const stale = '0f9d2c1b-7a55-4f5e-9d6d-3a1be2b4c871';
    await using kis = await simulatedKis({
      rest: ({ path }, answer) =>
        path === '/oauth2/Approval' ? { ...answer, body: JSON.stringify({ approval_key: stale }) } : answer,
    });
    const run = await contractRun(SHORT, kis.settings);
    expectDifferences(run, ['socket.kept', 'subscription.answer']);
    expect(run.line('subscription.answer')).toContain('OPSP0011 "invalid approval : [redacted]"');
    expect(run.output + run.errors).not.toContain(stale);
  });

  it('servers that are not there', async () => {
    await using kis = await simulatedKis();
    const nowhere = { KIS_API_URL: 'http://127.0.0.1:1', KIS_WEBSOCKET_URL: 'ws://127.0.0.1:1/tryitout' };
    expectDifferences(await contractRun(SHORT, { ...kis.settings, ...nowhere }), ['token.answer', 'approval.answer']);
    const { KIS_WEBSOCKET_URL } = nowhere;
    expectDifferences(await contractRun(SHORT, { ...kis.settings, KIS_WEBSOCKET_URL }), ['socket.open']);
  });
});

function differences({ verdicts }: Outcome): readonly string[] {
  return verdicts.filter((verdict) => verdict.startsWith('DIFFERS ')).map((verdict) => verdict.slice(8));
}

function expectDifferences(run: Outcome, expected: readonly string[]): void {
  expect(differences(run), run.output + run.errors).toEqual(expected);
  expect(run.code).toBe(1);
}
