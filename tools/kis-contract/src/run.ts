import { setTimeout as sleep } from 'node:timers/promises';
import type { KisEnvironment, KisKey } from '@aipx/kis-auth';
import { notSeen, type Finding } from './findings.ts';
import { askApprovalKey, judgeApproval } from './http/approval.ts';
import { askCalendar, judgeCalendar, noCalendar } from './http/calendar.ts';
import { askToken, judgeLimit, judgeToken } from './http/token.ts';
import type { Redactor } from './redactor.ts';
import type { Report } from './report.ts';
import { checkSession } from './session/check.ts';

const TWO_REQUESTS_MS = 1_100;

export interface ContractRun {
  readonly key: KisKey;
  readonly environment: KisEnvironment;
  readonly apiUrl: string;
  readonly websocketUrl: string;
  readonly codes: readonly string[];
  readonly listenMs: number;
  readonly silenceTimeoutMs: number;
  readonly asksTokenLimit: boolean;
  readonly redactor: Redactor;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Asks KIS everything, once. Tokens and approval keys are asked for here and not through `CredentialSource`: its business is to keep
 * the answers, and what an answer looks like is what has to be seen.
 *
 * @throws the signal's reason
 */
export async function runContract(run: ContractRun): Promise<void> {
  const token = await checkToken(run);
  const approvalKey = await checkApproval(run);
  await checkSession(run, approvalKey);
  await checkCalendar(run, token);
}

async function checkToken(run: ContractRun): Promise<string | undefined> {
  const { key, apiUrl, asksTokenLimit, redactor, report, signal } = run;
  const answer = await askToken(key.account, apiUrl, signal);
  const { findings, token } = judgeToken(answer, Date.now());
  if (token !== undefined) redactor.learn(token);
  report.add(findings);
  if (!asksTokenLimit) report.add([notSeen('token.limit', 'not asked for; --token-limit asks for a second token')]);
  else if (token === undefined) report.add([notSeen('token.limit', 'there was no first token')]);
  else report.add([await checkLimit(run)]);
  return token;
}

async function checkLimit({ key, apiUrl, signal }: ContractRun): Promise<Finding> {
  // There is also a limit of one request a second, with a code of its own.
  await sleep(TWO_REQUESTS_MS, undefined, { signal });
  return judgeLimit(await askToken(key.account, apiUrl, signal));
}

async function checkApproval({ key, apiUrl, redactor, report, signal }: ContractRun): Promise<string | undefined> {
  const { findings, approvalKey } = judgeApproval(await askApprovalKey(key.account, apiUrl, signal));
  if (approvalKey !== undefined) redactor.learn(approvalKey);
  report.add(findings);
  return approvalKey;
}

async function checkCalendar({ key, environment, apiUrl, report, signal }: ContractRun, token: string | undefined) {
  const why =
    environment === 'virtual' ? 'the virtual servers do not have it' : token === undefined ? 'there is no token' : '';
  if (token === undefined || why !== '') {
    report.add([notSeen('calendar.answer', why), ...noCalendar(why)]);
    return;
  }
  const today = Temporal.Now.plainDateISO('Asia/Seoul').toString().replaceAll('-', '');
  report.add(judgeCalendar(await askCalendar(key.account, token, apiUrl, today, signal), today));
}
