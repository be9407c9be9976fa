import { describe, expect, it } from 'vitest';
import { judgeApproval } from '../src/http/approval.ts';
import { judgeCalendar } from '../src/http/calendar.ts';
import type { Fields, HttpAnswer } from '../src/http/request.ts';
import { judgeLimit, judgeToken } from '../src/http/token.ts';
import type { Finding } from '../src/findings.ts';
import { judgeHeartbeats } from '../src/session/judge.ts';
import type { TimedHeartbeat } from '../src/session/session.ts';

/** 2026-11-23 09:00:00 in Korea. */
const NOW = Date.parse('2026-11-23T00:00:00Z');
const TOKEN = {
  access_token: 'eyJ0.eyJz.c2ln',
  token_type: 'Bearer',
  expires_in: 86_400,
  access_token_token_expired: '2026-11-24 09:00:00',
};

describe('the token', () => {
  it('ends at the same time by both of its fields', () => {
    expect(verdictsOf(judgeToken(answer(TOKEN), NOW).findings)).toEqual(['ok', 'ok', 'ok']);
  });

  it('may live three months, as that of a partner company does', () => {
    const { findings } = judgeToken(
      answer({ ...TOKEN, expires_in: 7_776_000, access_token_token_expired: '2027-02-21 09:00:00' }),
      NOW,
    );
    expect(verdictsOf(findings)).toEqual(['ok', 'ok', 'ok']);
  });

  it('differs when its end is printed in another zone', () => {
    const { findings } = judgeToken(answer({ ...TOKEN, access_token_token_expired: '2026-11-24 00:00:00' }), NOW);
    expect(findings.at(-1)).toMatchObject({ check: 'token.expiry', verdict: 'DIFFERS' });
    expect(findings.at(-1)?.says).toContain('Korea time 32400 s before it');
  });

  it('differs in each field that has another form, and no value is shown', () => {
    const { findings, token } = judgeToken(
      answer({ access_token: 'x'.repeat(351), token_type: 'bearer-secret', expires_in: '86400' }),
      NOW,
    );
    expect(token).toBe('x'.repeat(351));
    expect(findings[1]?.says).toContain(
      'came access_token as a text of 351 characters, token_type of another value, expires_in as a text of 5 characters and 1 more',
    );
    expect(JSON.stringify(findings)).not.toMatch(/xxxx|bearer-secret/);
  });

  it('is not seen when one was issued less than a minute ago', () => {
    const { findings } = judgeToken(answer({ error_code: 'EGW00133', error_description: '…' }, 403), NOW);
    expect(verdictsOf(findings)).toEqual(['NOT SEEN', 'NOT SEEN', 'NOT SEEN']);
  });

  it('of the other servers is told apart from a wrong key', () => {
    const [first] = judgeToken(answer({ rt_cd: '1', msg_cd: 'EGW02004', msg1: 'no' }, 500), NOW).findings;
    expect(first?.says).toContain('EGW02004 "no": the key is of the other servers');
  });

  it('may not be issued twice in a minute', () => {
    expect(judgeLimit(answer({ error_code: 'EGW00133' }, 403)).verdict).toBe('ok');
    const second = judgeLimit(answer(TOKEN));
    expect(second.verdict).toBe('DIFFERS');
    expect(second.says).not.toContain(TOKEN.access_token);
  });
});

describe('the approval key', () => {
  it('has the form of a UUID', () => {
    const { findings, approvalKey } = judgeApproval(answer({ approval_key: 'short-but-secret' }));
    expect(approvalKey).toBe('short-but-secret');
    expect(findings.at(-1)?.says).toBe(
      'expected 36 characters in the form of a UUID; came 16 characters of another form',
    );
  });
});

describe('the calendar', () => {
  const day = (date: string, fields: Fields = {}): Fields => ({
    bass_dt: date,
    wday_dvsn_cd: '02',
    bzdy_yn: 'Y',
    tr_day_yn: 'Y',
    opnd_yn: 'Y',
    sttl_day_yn: 'Y',
    ...fields,
  });
  const judge = (output: unknown, continues = 'D') =>
    judgeCalendar(answer({ rt_cd: '0', msg_cd: 'MCA00000', output }, 200, continues), '20261123');

  it('names a day at a time, from the one asked for on', () => {
    expect(verdictsOf(judge([day('20261123'), day('20261124')]))).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(judge([day('20261101'), day('20261124')])[1]?.says).toContain('came 20261101 first');
    expect(judge([day('20261123'), day('20261123')])[1]?.says).toContain('days out of order');
    expect(judge([day('20261123'), null])[1]?.says).toContain('row 2 as no object');
  });

  it('says for each day whether the market opens', () => {
    const findings = judge([day('20261123', { opnd_yn: '1' })]);
    expect(findings[1]?.says).toContain('row 1 with no or another opnd_yn');
    expect(findings[3]).toMatchObject({ check: 'calendar.readable', verdict: 'DIFFERS' });
  });

  it('says whether there is a further page', () => {
    expect(judge([day('20261123')], '')[2]?.says).toContain('came no tr_cont');
  });

  it('may be refused with HTTP 200', () => {
    const findings = judgeCalendar(answer({ rt_cd: '1', msg_cd: 'EGW00123', msg1: 'expired' }), '20261123');
    expect(verdictsOf(findings)).toEqual(['DIFFERS', 'NOT SEEN', 'NOT SEEN', 'NOT SEEN']);
    expect(findings[0]?.says).toContain('HTTP 200 EGW00123 "expired"');
  });
});

describe('PINGPONG', () => {
  const ping = (fields: Partial<TimedHeartbeat> = {}): TimedHeartbeat => ({
    kind: 'heartbeat',
    text: '',
    datetime: '20261123090010',
    hasBody: false,
    at: NOW + 10_000,
    ...fields,
  });
  const judge = (heartbeats: readonly TimedHeartbeat[], listenedMs = 20_000) =>
    judgeHeartbeats(heartbeats, NOW, NOW + listenedMs, 30_000);

  it('carries the time of Korea and no body', () => {
    expect(verdictsOf(judge([ping()]))).toEqual(['ok', 'ok']);
    expect(judge([ping({ datetime: '20261123000010' })])[0]?.says).toContain(
      'a datetime that is 32400 s from our clock',
    );
    expect(judge([ping({ datetime: 'soon' }), ping({ hasBody: true })])[0]?.says).toContain(
      'came datetime of another form, a body',
    );
  });

  it('may stay away as long as the services wait for it', () => {
    expect(verdictsOf(judge([], 20_000))).toEqual(['NOT SEEN', 'NOT SEEN']);
    expect(verdictsOf(judge([], 60_000))).toEqual(['NOT SEEN', 'DIFFERS']);
    expect(judge([ping()], 60_000)[1]?.says).toContain('came 1 in 60.0 s, at most 50.0 s without one');
  });
});

function answer(fields: Fields, status = 200, continues = ''): HttpAnswer {
  return { kind: 'answer', status, contentType: 'application/json', continues, fields, text: JSON.stringify(fields) };
}

function verdictsOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ verdict }) => verdict);
}
