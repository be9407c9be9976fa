import type { Secrets } from './envelope.js';

/** The answers of the real-time server: rt_cd and msg1 by msg_cd. */
const ANSWERS: Readonly<Record<string, readonly [rtCd: string, msg1: string]>> = {
  OPSP0000: ['0', 'SUBSCRIBE SUCCESS'],
  OPSP0001: ['0', 'UNSUBSCRIBE SUCCESS'],
  OPSP0002: ['1', 'ALREADY IN SUBSCRIBE'],
  OPSP0003: ['1', 'UNSUBSCRIBE ERROR(not found!)'],
  OPSP0007: ['1', 'SUBSCRIBE INTERNAL ERROR'],
  OPSP0008: ['1', 'MAX SUBSCRIBE OVER'],
  OPSP0009: ['1', 'SUBSCRIBE ERROR : mci send failed'],
  OPSP0010: ['1', 'SUBSCRIBE WARNING : invalid appkey'],
  OPSP0011: ['9', 'invalid approval : '],
  OPSP8991: ['1', 'invalid tr_id'],
  OPSP8992: ['1', 'invalid tr_key'],
  OPSP8993: ['9', 'JSON PARSING ERROR : invalid tr_key'],
  OPSP8994: ['9', 'JSON PARSING ERROR : invalid personalseckey'],
  OPSP8995: ['9', 'JSON PARSING ERROR : invalid appsecret'],
  OPSP8996: ['9', 'ALREADY IN USE appkey'],
  OPSP8997: ['9', 'JSON PARSING ERROR : invalid tr_type'],
  OPSP8998: ['9', 'JSON PARSING ERROR : invalid custtype'],
  OPSP8999: ['9', 'resource not available (ALLOC_CALL_PARAM)'],
  OPSP9990: ['9', 'JSON PARSING ERROR : tr_key not found'],
  OPSP9991: ['9', 'JSON PARSING ERROR : input not found'],
  OPSP9992: ['9', 'JSON PARSING ERROR : body not found'],
  OPSP9993: ['9', 'JSON PARSING ERROR : internal error'],
  OPSP9994: ['9', 'JSON PARSING ERROR : invalid appkey'],
  OPSP9995: ['9', 'JSON PARSING ERROR : resource not available'],
  OPSP9996: ['9', 'JSON PARSING ERROR : appkey not found'],
  OPSP9997: ['9', 'JSON PARSING ERROR : custtype not found'],
  OPSP9998: ['9', 'JSON PARSING ERROR : header not found'],
  OPSP9999: ['9', 'JSON PARSING ERROR : invalid json format'],
};

export function isAnswerCode(code: string): boolean {
  return Object.hasOwn(ANSWERS, code);
}

export interface Answered {
  readonly transaction: string;
  readonly symbol: string;
  readonly encrypted: boolean;
}

/** The answer to a request about one stream; the secrets come with a success, also for plain streams. */
export function answer(code: string, { transaction, symbol, encrypted }: Answered, secrets?: Secrets): string {
  return JSON.stringify({
    header: { tr_id: transaction, tr_key: symbol, encrypt: encrypted ? 'Y' : 'N' },
    body: {
      ...outcome(code, ''),
      ...(secrets !== undefined && { output: { iv: secrets.iv, key: secrets.key } }),
    },
  });
}

/** An error of the session: it names no stream. @param echo what is said behind the message */
export function sessionError(code: string, echo = ''): string {
  return JSON.stringify({ header: { tr_id: '(null)', tr_key: '', encrypt: 'N' }, body: outcome(code, echo) });
}

/** @param datetime YYYYMMDDHHMMSS, KST */
export function pingPong(datetime: string): string {
  return JSON.stringify({ header: { tr_id: 'PINGPONG', datetime } });
}

function outcome(code: string, echo: string): Readonly<Record<string, string>> {
  const [rtCd, msg1] = ANSWERS[code] ?? ['9', 'unknown'];
  return { rt_cd: rtCd, msg_cd: code, msg1: msg1 + echo };
}
