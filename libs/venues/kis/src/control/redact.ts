import { decodeText } from '../frame/frame.js';

const REDACTED = '[redacted]';

/**
 * Values that must never reach a log, an error or a store. OPSP0011 echoes the approval key behind its words (documented),
 * acknowledgements carry a key and an iv, requests the approval key.
 */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/(invalid approval\s*:\s*)(?!NOT FOUND)[^"\\\s]+/gi, `$1${REDACTED}`],
  [/("(?:approval_key|appkey|appsecret|secretkey|authorization|key|iv)"\s*:\s*")[^"]*/gi, `$1${REDACTED}`],
  // An approval key is a UUID, also where it stands alone.
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{1,12}/gi, REDACTED],
];

export function redact(text: string): string {
  return SECRETS.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text);
}

/** The bytes as they are unless they hold a secret. */
export function redactBytes(bytes: Uint8Array): Uint8Array {
  const text = decodeText(bytes);
  const redacted = redact(text);
  return redacted === text ? bytes : new TextEncoder().encode(redacted);
}
