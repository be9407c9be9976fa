import type { RestAnswer, RestRequest } from '@aipx/venue/simulation';
import { wallClockText } from './clock.js';
import type { Exchange } from './exchange.js';
import { holidayPage, type OpenDays } from './holidays.js';

type Fields = Readonly<Record<string, unknown>>;

const TOKEN_ERRORS: Readonly<Record<string, string>> = {
  EGW00101: '유효하지 않은 요청입니다.',
  EGW00102: 'AppKey는 필수입니다.',
  EGW00103: '유효하지 않은 AppKey입니다.',
  EGW00104: 'AppSecret은 필수입니다.',
  EGW00105: '유효하지 않은 AppSecret입니다.',
  EGW00121: '유효하지 않은 token 입니다.',
  EGW00133: '접근토큰 발급 잠시 후 다시 시도하세요(1분당 1회)',
};

const CALL_ERRORS: Readonly<Record<string, string>> = {
  ...TOKEN_ERRORS,
  EGW00122: 'token을 찾을 수 없습니다.',
  EGW00123: '기간이 만료된 token 입니다.',
  EGW00205: 'credentials_type이 유효하지 않습니다.(Bearer)',
  OPSQ0002: '없는 서비스 코드 입니다.',
};

/** The transaction id of the calendar. */
const CALENDAR = 'CTCA0903R';

/** The OAuth calls, and the calendar of trading days. */
export function answerRest(request: RestRequest, exchange: Exchange): RestAnswer {
  const { method, path } = request;
  switch (`${method} ${path}`) {
    case 'POST /oauth2/tokenP':
      return withKey(request, exchange, 'appsecret', (appkey) => issueToken(appkey, exchange));
    case 'POST /oauth2/revokeP':
      return withKey(request, exchange, 'appsecret', (appkey, body) => revokeToken(appkey, body, exchange));
    case 'POST /oauth2/Approval':
      return withKey(request, exchange, 'secretkey', (appkey) =>
        json(200, { approval_key: exchange.keys.approvalKey(appkey) }),
      );
    case 'GET /uapi/domestic-stock/v1/quotations/chk-holiday':
      return calendar(request, exchange);
    default:
      return { status: 404, body: '' };
  }
}

function withKey(
  { path, body }: RestRequest,
  { keys }: Exchange,
  secretName: string,
  answer: (appkey: string, body: Fields) => RestAnswer,
): RestAnswer {
  const fields = parsed(body);
  const grantMissing = path !== '/oauth2/revokeP' && fields?.['grant_type'] !== 'client_credentials';
  if (fields === undefined || grantMissing) return tokenError('EGW00101');
  const refusal = keys.refusal(fields['appkey'], fields[secretName]);
  return refusal === undefined ? answer(String(fields['appkey']), fields) : tokenError(refusal);
}

function issueToken(appkey: string, { keys, clock }: Exchange): RestAnswer {
  const token = keys.token(appkey);
  if (token === undefined) return tokenError('EGW00133');
  return json(200, {
    access_token: token.value,
    access_token_token_expired: wallClockText(token.expiresAt),
    token_type: 'Bearer',
    expires_in: Math.floor((token.expiresAt - clock.now) / 1000),
  });
}

function revokeToken(appkey: string, body: Fields, { keys }: Exchange): RestAnswer {
  return keys.revoke(appkey, body['token'])
    ? json(200, { code: 200, message: '접근토큰 폐기에 성공하였습니다' })
    : tokenError('EGW00121');
}

/** A call with a token, which is looked at before anything else. */
function calendar(request: RestRequest, exchange: Exchange): RestAnswer {
  const { headers } = request;
  const { keys } = exchange;
  const refusal = keys.refusal(headers['appkey'], headers['appsecret']);
  if (refusal !== undefined) return callError(refusal);
  const [scheme, token = ''] = String(headers['authorization'] ?? '').split(' ');
  if (scheme === '') return callError('EGW00122');
  if (scheme !== 'Bearer') return callError('EGW00205');
  const tokenRefusal = keys.tokenRefusal(String(headers['appkey']), token);
  if (tokenRefusal !== undefined) return callError(tokenRefusal);
  if (headers['tr_id'] !== CALENDAR) return callError('OPSQ0002');
  keys.count(String(headers['appkey']), 'calendarCalls');
  return holidays(request, exchange);
}

/** A market that trades on a day says so: one that never rests, of every weekend, and one that plays a day, of that. */
function openDays({ settings: { holidays = [], day }, hours }: Exchange): OpenDays {
  return (date, isWeekend) => !holidays.includes(date) && (!isWeekend || hours === 'always' || date === day?.date);
}

function holidays({ query }: RestRequest, exchange: Exchange): RestAnswer {
  const from = query.get('CTX_AREA_NK')?.trim() || (query.get('BASS_DT') ?? '');
  const page = holidayPage(from, exchange.clock.now, openDays(exchange));
  if (page === undefined) return callError('OPSQ0002');
  const body = {
    rt_cd: '0',
    msg_cd: 'MCA00000',
    msg1: '정상처리 되었습니다.',
    ctx_area_fk: query.get('BASS_DT') ?? '',
    ctx_area_nk: page.next ?? '',
    output: page.rows,
  };
  return json(200, body, { tr_id: CALENDAR, tr_cont: page.next === undefined ? 'D' : 'M' });
}

/** As reported: HTTP 403, and names of its own for code and text. */
function tokenError(code: string): RestAnswer {
  return json(403, { error_description: TOKEN_ERRORS[code] ?? code, error_code: code });
}

/** As reported: errors of a call come as HTTP 500 with the body of an ordinary answer. */
function callError(code: string): RestAnswer {
  return json(500, { rt_cd: '1', msg_cd: code, msg1: CALL_ERRORS[code] ?? code });
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): RestAnswer {
  return {
    status,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json;charset=UTF-8', ...headers },
  };
}

function parsed(body: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
