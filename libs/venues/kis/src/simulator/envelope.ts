import { createCipheriv } from 'node:crypto';

/** What the acknowledgement of a subscription hands over: 32 and 16 ASCII characters. */
export interface Secrets {
  readonly key: string;
  readonly iv: string;
}

/** The first two bytes of a Korean syllable in cp949, as characters: in a frame they are no UTF-8. */
export const BROKEN_TEXT = '\u00b0\u00a1';

/** Cuts a record to a width, or fills it up: an older or a newer layout than the documented one. */
export function fitted(fields: readonly string[], width: number): readonly string[] {
  const extra = Array.from({ length: Math.max(0, width - fields.length) }, () => '0');
  return [...fields.slice(0, width), ...extra];
}

/** `0|H0STCNT0|003|…`: all records one after the other, or the same encrypted. */
export function envelope(transaction: string, records: readonly (readonly string[])[], secrets?: Secrets): Buffer {
  const payload = records.map((fields) => fields.join('^')).join('^');
  const head = `${transaction}|${String(records.length).padStart(3, '0')}|`;
  // Everything documented is ASCII; latin1 writes what stands for broken text as the bytes it is.
  return Buffer.from(
    secrets === undefined ? `0|${head}${payload}` : `1|${head}${encrypted(payload, secrets)}`,
    'latin1',
  );
}

function encrypted(payload: string, { key, iv }: Secrets): string {
  const cipher = createCipheriv('aes-256-cbc', Buffer.from(key, 'ascii'), Buffer.from(iv, 'ascii'));
  return cipher.update(payload, 'utf8', 'base64') + cipher.final('base64');
}
