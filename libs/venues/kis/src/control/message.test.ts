import { describe, expect, it } from 'vitest';
import { bytes } from '../../test/reading.js';
import { readControl, refusalOf, type ControlAnswer } from './message.js';
import { redact } from './redact.js';

const ACTIVE =
  '{"header":{"tr_id":"H0STASP0","tr_key":"066570","encrypt":"N"},"body":{"rt_cd":"0","msg_cd":"OPSP0000","msg1":"SUBSCRIBE SUCCESS","output":{"iv":"ca513e8bf725c575","key":"uvbpznjqabrxhowcftgehxghhhsxtwro"}}}';
const IN_USE =
  '{"header":{"tr_id":"(null)","tr_key":"","encrypt":"N"},"body":{"rt_cd":"9","msg_cd":"OPSP8996","msg1":"ALREADY IN USE appkey"}}';
const HEARTBEAT = '{"header":{"tr_id":"PINGPONG","datetime":"20230502221924"}}';
const APPROVAL_KEY = '8d1b3c5e-7f90-4a2b-9c3d-1e2f3a4b5c6d';

function answerOf(text: string): ControlAnswer {
  const message = readControl(bytes(text));
  return message.kind === 'answer' ? message : expect.unreachable(`read as ${message.kind}`);
}

function answer(
  code: string | null,
  words: string | null,
  rtCode = '1',
  trId: string | null = 'H0STCNT0',
): ControlAnswer {
  const header = { tr_id: trId, tr_key: '005930', encrypt: 'N' };
  return answerOf(JSON.stringify({ header, body: { rt_cd: rtCode, msg_cd: code, msg1: words } }));
}

describe('KIS control messages', () => {
  it('acknowledge a registration, with its key', () => {
    const { key, ...rest } = answerOf(ACTIVE);
    expect(rest).toEqual({
      kind: 'answer',
      trId: 'H0STASP0',
      symbol: '066570',
      code: 'OPSP0000',
      action: 'active',
      message: 'SUBSCRIBE SUCCESS',
    });
    let used = '';
    key?.decrypt('', (aesKey, iv) => {
      used = `${new TextDecoder().decode(aesKey)} ${new TextDecoder().decode(iv)}`;
      return new Uint8Array();
    });
    expect(used).toBe('uvbpznjqabrxhowcftgehxghhhsxtwro ca513e8bf725c575');
  });

  it('speak of the whole session where tr_id is (null), null or absent', () => {
    expect(answerOf(IN_USE)).toMatchObject({ trId: undefined, symbol: undefined, action: 'already-in-use' });
    expect(answer('OPSP8996', 'ALREADY IN USE appkey', '9', null).trId).toBeUndefined();
    expect(answerOf('{"body":{"msg_cd":"OPSP8996"}}')).toMatchObject({ trId: undefined, action: 'already-in-use' });
  });

  it('are answered with the same text when they are a heartbeat', () => {
    expect(readControl(bytes(HEARTBEAT))).toEqual({ kind: 'heartbeat', reply: HEARTBEAT });
    const spaced = '{"header": {"tr_id": "PINGPONG",\t"datetime": "20230502221924"} }\n';
    expect(readControl(bytes(spaced))).toEqual({ kind: 'heartbeat', reply: spaced });
  });

  it.each([
    ['OPSP0000', 'SUBSCRIBE SUCCESS', 'active'],
    ['OPSP0001', 'UNSUBSCRIBE SUCCESS', 'freed'],
    ['OPSP0002', 'ALREADY IN SUBSCRIBE', 'already-active'],
    ['OPSP0003', 'UNSUBSCRIBE ERROR(not found!)', 'already-freed'],
    ['OPSP0007', 'SUBSCRIBE INTERNAL ERROR', 'retry-later'],
    ['OPSP0008', 'MAX SUBSCRIBE OVER', 'stop-adding'],
    ['OPSP0009', 'SUBSCRIBE ERROR : mci send failed', 'not-entitled'],
    ['OPSP0010', 'SUBSCRIBE WARNING : invalid appkey', 'fatal'],
    ['OPSP0011', 'invalid approval : NOT FOUND', 'new-approval-key'],
    ['OPSP8991', 'invalid tr_id', 'drop-symbol'],
    ['OPSP8992', 'invalid tr_key', 'drop-symbol'],
    ['OPSP8993', 'JSON PARSING ERROR : tr_key', 'fatal'],
    ['OPSP8994', 'JSON PARSING ERROR : personalseckey', 'fatal'],
    ['OPSP8995', 'JSON PARSING ERROR : appsecret', 'fatal'],
    ['OPSP8996', 'ALREADY IN USE appkey', 'already-in-use'],
    ['OPSP8997', 'JSON PARSING ERROR : tr_type', 'fatal'],
    ['OPSP8998', 'JSON PARSING ERROR : custtype', 'fatal'],
    ['OPSP8999', 'resource not available (ALLOC_CALL_PARAM)', 'back-off'],
    ['OPSP9990', 'JSON PARSING ERROR : tr_key not found', 'fatal'],
    ['OPSP9999', 'JSON PARSING ERROR : invalid json format', 'fatal'],
  ])('with %s, %s mean %s, by the words alone as well', (code, words, action) => {
    expect(answer(code, words).action).toBe(action);
    expect(answer(code, null).action).toBe(action);
    expect(answer(null, words).action).toBe(action);
  });

  it('that are in no table stand for what rt_cd says', () => {
    expect(answer('OPSP0777', 'SOMETHING NEW', '1').action).toBe('retry-later');
    expect(answer('OPSP0777', 'SOMETHING NEW', '9').action).toBe('back-off');
    expect(answer('OPSP0777', 'SOMETHING NEW', '0').action).toBe('active');
    expect(answer('OPSP0777', 'UNSUB DONE', '0').action).toBe('freed');
  });

  it('are cut where they are longer than any that is known: they go to logs', () => {
    const long = 'x'.repeat(100_000);
    const refused = answer(long, `invalid approval : ${APPROVAL_KEY} ${long}`, '9', long);
    const told = JSON.stringify([refused, refusalOf(refused)]);
    expect(told.length).toBeLessThan(2_000);
    expect(told).not.toContain(APPROVAL_KEY);
  });

  it('without both parts of a key have none', () => {
    const body = { msg_cd: 'OPSP0000', output: { key: 'k', iv: '' } };
    expect(answerOf(JSON.stringify({ body })).key).toBeUndefined();
  });

  it.each([
    '',
    'x',
    '[]',
    'null',
    '7',
    '{}',
    '{"header":null,"body":[]}',
    '{"body":{"msg_cd":7}}',
    '{"header":{"tr_id":{"toString":1}}}',
  ])('such as %j are unreadable', (text) => {
    expect(readControl(bytes(text))).toMatchObject({ kind: 'unreadable', text, error: { code: 'VALIDATION_FRAME' } });
  });
});

describe('a refusal by KIS', () => {
  it.each([
    ['OPSP0000', undefined],
    ['OPSP0001', undefined],
    ['OPSP0002', undefined],
    ['OPSP0003', undefined],
    ['OPSP0007', true],
    ['OPSP0008', false],
    ['OPSP0009', true],
    ['OPSP0010', false],
    ['OPSP0011', true],
    ['OPSP8992', false],
    ['OPSP8996', true],
    ['OPSP8999', true],
    ['OPSP9999', false],
  ])('with %s may be tried again: %s', (code, retryable) => {
    expect(refusalOf(answer(code, 'words'))?.retryable).toBe(retryable);
  });

  it('names stream, symbol, code and words', () => {
    expect(refusalOf(answer('OPSP0008', 'MAX SUBSCRIBE OVER'))).toMatchObject({
      code: 'CONNECTION_REFUSED_BY_VENUE',
      message: 'KIS refuses H0STCNT0 005930: OPSP0008 MAX SUBSCRIBE OVER',
      context: { code: 'OPSP0008', action: 'stop-adding' },
    });
    expect(refusalOf(answerOf(IN_USE))?.message).toBe('KIS refuses the session: OPSP8996 ALREADY IN USE appkey');
  });
});

describe('approval keys', () => {
  it.each([APPROVAL_KEY, 'not-a-uuid-at-all', APPROVAL_KEY.slice(0, 30)])(
    'are redacted where OPSP0011 echoes %s',
    (key) => {
      const refused = answer('OPSP0011', `invalid approval : ${key}`, '9');
      expect(refused.message).toBe('invalid approval : [redacted]');
      expect(JSON.stringify([refused, refusalOf(refused)])).not.toContain(key);
    },
  );

  it('are redacted in fields that never hold one', () => {
    const odd = {
      header: { tr_id: APPROVAL_KEY, tr_key: APPROVAL_KEY },
      body: { msg_cd: APPROVAL_KEY, msg1: APPROVAL_KEY },
    };
    const refused = answerOf(JSON.stringify(odd));
    expect(JSON.stringify([refused, refusalOf(refused)])).not.toContain(APPROVAL_KEY);
  });

  it('are redacted at every cut of an echo and of an acknowledgement', () => {
    const echo = `{"header":{"tr_id":"(null)"},"body":{"rt_cd":"9","msg_cd":"OPSP0011","msg1":"invalid approval : ${APPROVAL_KEY}"}}`;
    for (const [text, secret] of [
      [echo, APPROVAL_KEY],
      [ACTIVE, 'uvbpznjqabrxhowcftgehxghhhsxtwro'],
      [ACTIVE, 'ca513e8bf725c575'],
    ] as const) {
      for (let length = 0; length < text.length; length += 1) {
        const message = readControl(bytes(text.slice(0, length)));
        if (message.kind !== 'unreadable') expect.unreachable(`read as ${message.kind}`);
        const told = JSON.stringify([message.text, message.error]);
        expect(told).not.toContain(secret.slice(0, 6));
      }
    }
  });

  it('are redacted in requests', () => {
    const request = `{"header":{"approval_key":"${APPROVAL_KEY}","custtype":"P"}}`;
    expect(redact(request)).toBe('{"header":{"approval_key":"[redacted]","custtype":"P"}}');
    expect(redact('invalid approval : NOT FOUND')).toBe('invalid approval : NOT FOUND');
  });
});
