import { excerpt } from '../redactor.ts';

/** The real-time server's answer to a request, or its word on the whole session. */
export interface Answer {
  readonly kind: 'answer';
  /** Absent where it is about the session. */
  readonly trId: string | undefined;
  readonly code: string | undefined;
  readonly rtCd: string;
  readonly msgCd: string;
  /** Without secrets, cut. */
  readonly words: string;
  readonly encrypt: unknown;
  /** What they are made of, never shown. */
  readonly cipherKey: unknown;
  readonly iv: unknown;
}

/** A PINGPONG; to be sent back as it is. */
export interface Heartbeat {
  readonly kind: 'heartbeat';
  readonly text: string;
  readonly datetime: unknown;
  readonly hasBody: boolean;
}

export type ControlText = Answer | Heartbeat | { readonly kind: 'unreadable'; readonly excerpt: string };

/** Reads what is no data frame, with no help of the driver: it is the wire that is looked at. */
export function readControlText(text: string): ControlText {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { kind: 'unreadable', excerpt: excerpt(text) };
  }
  const header = member(content, 'header');
  const body = member(content, 'body');
  if (member(header, 'tr_id') === 'PINGPONG') {
    return { kind: 'heartbeat', text, datetime: member(header, 'datetime'), hasBody: body !== undefined };
  }
  const msgCd = member(body, 'msg_cd');
  if (typeof msgCd !== 'string') return { kind: 'unreadable', excerpt: excerpt(text) };
  const output = member(body, 'output');
  return {
    kind: 'answer',
    trId: named(member(header, 'tr_id')),
    code: named(member(header, 'tr_key')),
    rtCd: String(member(body, 'rt_cd')),
    msgCd: /^[A-Z]{3,4}\d{4,5}$/.test(msgCd) ? msgCd : 'a code of another form',
    words: excerpt(String(member(body, 'msg1') ?? '')),
    encrypt: member(header, 'encrypt'),
    cipherKey: member(output, 'key'),
    iv: member(output, 'iv'),
  };
}

function named(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value !== '(null)' ? value : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
