import type { KisAccount } from '@aipx/kis-auth';
import { differs, judged, notSeen, ok, type Finding } from '../findings.ts';
import { ask, codeOf, described, type HttpAnswer } from './request.ts';

const LENGTH = 36;
const UUID_LIKE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface ApprovalResult {
  readonly findings: readonly Finding[];
  readonly approvalKey: string | undefined;
}

/** `POST /oauth2/Approval`, once. Here the secret's field is `secretkey`. */
export async function askApprovalKey(account: KisAccount, apiUrl: string, signal: AbortSignal): Promise<HttpAnswer> {
  return await ask(
    {
      method: 'POST',
      url: new URL('/oauth2/Approval', apiUrl),
      headers: { 'content-type': 'application/json; charset=UTF-8' },
      body: { grant_type: 'client_credentials', appkey: account.apiKey, secretkey: account.apiSecret },
    },
    signal,
  );
}

export function judgeApproval(answer: HttpAnswer): ApprovalResult {
  const value = answer.kind === 'answer' && answer.status === 200 ? answer.fields?.['approval_key'] : undefined;
  if (typeof value !== 'string' || value === '' || codeOf(answer) !== undefined) {
    const finding = differs('approval.answer', 'HTTP 200 with approval_key', described(answer));
    return { findings: [finding, notSeen('approval.key', 'there is no approval key')], approvalKey: undefined };
  }
  const faults = UUID_LIKE.test(value) ? [] : [`${value.length} characters of another form`];
  return {
    findings: [
      ok('approval.answer', 'HTTP 200'),
      judged('approval.key', `${LENGTH} characters in the form of a UUID`, faults, `${LENGTH} characters`),
    ],
    approvalKey: value,
  };
}
