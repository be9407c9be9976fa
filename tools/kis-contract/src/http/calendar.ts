import type { KisAccount } from '@aipx/kis-auth';
import { asMarketDataError } from '@aipx/market-model';
import { HOLIDAY_CALL, readHolidayPage } from '@aipx/venue-kis';
import { differs, firstOf, judged, notSeen, ok, type Finding } from '../findings.ts';
import { excerpt } from '../redactor.ts';
import { ask, codeOf, described, type Fields, type HttpAnswer } from './request.ts';

const FLAGS = ['bzdy_yn', 'tr_day_yn', 'opnd_yn', 'sttl_day_yn'];
/** More pages: `F`, `M`; the last one: `D`, `E`. */
const CONTINUES = new Set(['F', 'M', 'D', 'E']);

/** `chk-holiday`, its first page: the service asks not to be called more than once a day. */
export async function askCalendar(
  account: KisAccount,
  token: string,
  apiUrl: string,
  date: string,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const url = new URL(HOLIDAY_CALL.path, apiUrl);
  url.search = new URLSearchParams({ BASS_DT: date, CTX_AREA_FK: '', CTX_AREA_NK: '' }).toString();
  return await ask(
    {
      method: 'GET',
      url,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        authorization: `Bearer ${token}`,
        appkey: account.apiKey,
        appsecret: account.apiSecret,
        tr_id: HOLIDAY_CALL.trId,
        custtype: 'P',
      },
    },
    signal,
  );
}

/** @param date the day asked for, YYYYMMDD */
export function judgeCalendar(answer: HttpAnswer, date: string): readonly Finding[] {
  const fields = answer.kind === 'answer' && answer.status === 200 ? answer.fields : undefined;
  const rows = fields?.['output'];
  if (answer.kind === 'none' || fields?.['rt_cd'] !== '0' || !Array.isArray(rows)) {
    return [
      differs('calendar.answer', 'HTTP 200, JSON with rt_cd "0" and output', described(answer)),
      ...noCalendar('there is no calendar'),
    ];
  }
  return [
    ok('calendar.answer', `HTTP 200, rt_cd "0", ${codeOf(answer) ?? 'no msg_cd'}`),
    judgeDays(rows, date),
    judgePages(answer.continues, rows.length),
    judgeReadable(answer.text, answer.continues),
  ];
}

export function noCalendar(why: string): readonly Finding[] {
  return [notSeen('calendar.days', why), notSeen('calendar.pages', why), notSeen('calendar.readable', why)];
}

function judgeDays(rows: readonly unknown[], date: string): Finding {
  const faults = rows.flatMap((row, index) => faultsOf(row, index));
  const dates = rows.map((row) => String((row as Fields | null)?.['bass_dt']));
  if (dates[0] !== date) faults.unshift(`${dates[0] ?? 'nothing'} first`);
  if (dates.some((day, index) => index > 0 && day <= String(dates[index - 1]))) faults.push('days out of order');
  const open = rows.filter((row) => (row as Fields | null)?.['opnd_yn'] === 'Y').length;
  return judged(
    'calendar.days',
    `days from ${date} on, each with bass_dt, wday_dvsn_cd and ${FLAGS.join(', ')} of Y or N`,
    faults,
    `${rows.length} days from ${date} to ${dates.at(-1) ?? 'nowhere'}, ${open} of them open`,
  );
}

function faultsOf(row: unknown, index: number): string[] {
  const where = `row ${index + 1}`;
  if (typeof row !== 'object' || row === null) return [`${where} as no object`];
  const fields = row as Fields;
  const wrong = [
    ...(/^\d{8}$/.test(String(fields['bass_dt'])) ? [] : ['bass_dt']),
    ...(typeof fields['wday_dvsn_cd'] === 'string' ? [] : ['wday_dvsn_cd']),
    ...FLAGS.filter((name) => fields[name] !== 'Y' && fields[name] !== 'N'),
  ];
  return wrong.length === 0 ? [] : [`${where} with no or another ${firstOf(wrong)}`];
}

function judgePages(continues: string, rows: number): Finding {
  return judged(
    'calendar.pages',
    'header tr_cont F or M (more pages), D or E (the last)',
    CONTINUES.has(continues) ? [] : [continues === '' ? 'no tr_cont' : 'another tr_cont'],
    `tr_cont ${continues}, ${rows} rows a page`,
  );
}

function judgeReadable(body: string, continues: string): Finding {
  try {
    const { days } = readHolidayPage(body, continues);
    return ok('calendar.readable', `${days.size} days, all of them`);
  } catch (cause) {
    const { message } = asMarketDataError(cause, 'VALIDATION_RECORD');
    return differs('calendar.readable', 'a page that the calendar reads', excerpt(message));
  }
}
