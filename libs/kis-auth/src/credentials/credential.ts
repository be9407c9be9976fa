import { SAME_TOKEN_FOR_MS, type Issued } from '../oauth/oauth-client.js';
import { parseStored } from '../stores/stored-json.js';

export type CredentialKind = 'token' | 'approval';

/** What is shared: a token or an approval key, and why it was issued. */
export interface Credential extends Issued {
  /** When it was issued because KIS refused the one before; `null` for one that was due. */
  readonly replacementAt: number | null;
}

/** Two machines' clocks differ; a credential is not used in its last moments. */
const CLOCK_MARGIN_MS = 30_000;
/** OPSP0011 with a fresh approval key also comes outside the hours of service, where another key changes nothing. */
const FRESH_FOR_MS = 10 * 60_000;

export function isValid(credential: Credential, now: number): boolean {
  return now < credential.expiresAt - CLOCK_MARGIN_MS;
}

/**
 * Until when a credential is kept although KIS refused it. The first refusal is answered with a new one at once. A replacement that is
 * refused too stays: a token for six hours from its issue, since KIS would only send the same again (official samples), an
 * approval key for ten minutes.
 */
export function keptUntil(kind: CredentialKind, { replacementAt, issuedAt }: Credential): number {
  if (replacementAt === null) return 0;
  const fresh = replacementAt + FRESH_FOR_MS;
  return kind === 'token' ? Math.max(fresh, issuedAt + SAME_TOKEN_FOR_MS) : fresh;
}

export function parseCredential(text: string | undefined): Credential | undefined {
  return parseStored<Credential>(
    text,
    ({ value, issuedAt, expiresAt, replacementAt }) =>
      typeof value === 'string' &&
      typeof issuedAt === 'number' &&
      typeof expiresAt === 'number' &&
      (replacementAt === null || typeof replacementAt === 'number'),
  );
}
