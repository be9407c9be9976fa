import { kisAction, type KisAccount, type KisAction } from '@aipx/kis-auth';
import { differs, judged, notSeen, ok, type Finding } from '../findings.ts';
import { ask, codeOf, described, type Fields, type HttpAnswer } from './request.ts';

const DAY_SECONDS = 86_400;
/** Partner companies. */
const QUARTER_SECONDS = 7_776_000;
const LONGEST_TOKEN = 350;
const KST_TEXT = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})$/;
/** How far the two fields that say when the token ends may lie apart, and our clock from the venue's. */
const TOLERANCE_MS = 120_000;

/** What a refusal of the key means, for whoever set it. */
const ADVICE: Partial<Record<KisAction, string>> = {
  'bad-key': 'the app key or the app secret is wrong, or they are of the other servers',
  'wrong-host': 'the key is of the other servers; --virtual or --real says which ones are asked',
};

export interface TokenResult {
  readonly findings: readonly Finding[];
  /** `undefined`: there is none, `why` says so. */
  readonly token: string | undefined;
}

/** `POST /oauth2/tokenP`, once. Every issue sends the owner of the account a message. */
export async function askToken(account: KisAccount, apiUrl: string, signal: AbortSignal): Promise<HttpAnswer> {
  return await ask(
    {
      method: 'POST',
      url: new URL('/oauth2/tokenP', apiUrl),
      headers: { 'content-type': 'application/json; charset=UTF-8' },
      body: { grant_type: 'client_credentials', appkey: account.apiKey, appsecret: account.apiSecret },
    },
    signal,
  );
}

/** @param now ms since the epoch */
export function judgeToken(answer: HttpAnswer, now: number): TokenResult {
  const code = codeOf(answer);
  if (code === 'EGW00133') {
    const why = 'a token was issued less than a minute ago (EGW00133); run it again in a minute';
    return { findings: [notSeen('token.answer', why), ...withoutAnswer()], token: undefined };
  }
  if (answer.kind === 'none' || answer.fields === undefined || answer.status !== 200 || code !== undefined) {
    const came = described(answer) + adviceFor(code);
    return {
      findings: [differs('token.answer', 'HTTP 200 with a token', came), ...withoutAnswer()],
      token: undefined,
    };
  }
  const { fields } = answer;
  const value = fields['access_token'];
  return {
    findings: [ok('token.answer', 'HTTP 200'), judgeFields(fields), judgeExpiry(fields, now)],
    token: typeof value === 'string' && value !== '' ? value : undefined,
  };
}

/** The second request within a minute. */
export function judgeLimit(second: HttpAnswer): Finding {
  const expected = 'HTTP 403 with error_code EGW00133 for a second token within a minute';
  const isRight = second.kind === 'answer' && second.status === 403 && second.fields?.['error_code'] === 'EGW00133';
  return isRight ? ok('token.limit', described(second)) : differs('token.limit', expected, described(second));
}

function withoutAnswer(): readonly Finding[] {
  return [notSeen('token.fields', 'there is no token'), notSeen('token.expiry', 'there is no token')];
}

function judgeFields(fields: Fields): Finding {
  const { access_token: value, token_type: type, expires_in: seconds, access_token_token_expired: kst } = fields;
  const faults = [
    ...(typeof value === 'string' && value !== '' && value.length <= LONGEST_TOKEN
      ? []
      : [shape('access_token', value)]),
    ...(type === 'Bearer'
      ? []
      : [typeof type === 'string' ? `token_type of another value` : shape('token_type', type)]),
    ...(typeof seconds === 'number' ? [] : [shape('expires_in', seconds)]),
    ...(typeof kst === 'string' && KST_TEXT.test(kst) ? [] : [shape('access_token_token_expired', kst)]),
  ];
  const known = new Set(['access_token', 'token_type', 'expires_in', 'access_token_token_expired']);
  const further = Object.keys(fields).filter((name) => !known.has(name));
  return judged(
    'token.fields',
    `access_token (text, at most ${LONGEST_TOKEN}), token_type "Bearer", expires_in (number), access_token_token_expired (YYYY-MM-DD HH:MM:SS)`,
    faults,
    `all four${further.length > 0 ? `; further ones: ${further.join(', ')}` : ''}`,
  );
}

/** KIS prints the end twice: as seconds from now, and as a wall clock of Korea without a zone. */
function judgeExpiry(fields: Fields, now: number): Finding {
  const { expires_in: seconds, access_token_token_expired: kst } = fields;
  const [, date, time] = (typeof kst === 'string' && KST_TEXT.exec(kst)) || [];
  if (typeof seconds !== 'number' || date === undefined) {
    return notSeen('token.expiry', 'the fields that say when it ends cannot be read');
  }
  const end = Date.parse(`${date}T${time}+09:00`);
  const expected = `expires_in of at most ${DAY_SECONDS} s (${QUARTER_SECONDS} for partners), and the same end in Korea time`;
  const apart = end - (now + seconds * 1000);
  const came = `expires_in ${seconds} s, Korea time ${Math.round(Math.abs(apart) / 1000)} s ${apart < 0 ? 'before' : 'after'} it`;
  const isLife = (seconds > 0 && seconds <= DAY_SECONDS) || seconds === QUARTER_SECONDS;
  return isLife && Math.abs(apart) <= TOLERANCE_MS ? ok('token.expiry', came) : differs('token.expiry', expected, came);
}

/** What is wrong with a field, without its value: it may be half a token. */
function shape(name: string, value: unknown): string {
  if (value === undefined) return `no ${name}`;
  return `${name} as ${typeof value === 'string' ? `a text of ${value.length} characters` : typeof value}`;
}

function adviceFor(code: string | undefined): string {
  const advice = code === undefined ? undefined : ADVICE[kisAction(code) ?? 'retry'];
  return advice === undefined ? '' : `: ${advice}`;
}
