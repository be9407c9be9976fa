import { MarketDataError } from '@aipx/market-model';
import { CipherKey } from '../frame/cipher.js';
import { decodeText } from '../frame/frame.js';
import { controlAction, type ControlAction } from './codes.js';
import { redact } from './redact.js';

/** A text frame without market data. */
export type ControlMessage =
  /** The server's heartbeat. `reply` is the same text, to be sent back at once. */
  | { readonly kind: 'heartbeat'; readonly reply: string }
  | ControlAnswer
  /** No message that is known. `text` is what was received, secrets taken out. */
  | { readonly kind: 'unreadable'; readonly error: MarketDataError; readonly text: string };

/** The answer to a registration, or the server's word on the whole session. */
export interface ControlAnswer {
  readonly kind: 'answer';
  /** Stream and symbol that it is about. Absent where it is about the session: `(null)`, null or empty on the wire. */
  readonly trId: string | undefined;
  readonly symbol: string | undefined;
  /** `OPSP0000`; empty where the server sends none. */
  readonly code: string;
  readonly action: ControlAction;
  /** The venue's words, approval keys taken out. */
  readonly message: string;
  /** Comes with every success, also of streams that are not encrypted. */
  readonly key: CipherKey | undefined;
}

/** Never throws. */
export function readControl(bytes: Uint8Array): ControlMessage {
  const text = decodeText(bytes);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // The cause quotes the text, secrets included.
    return unreadable('not JSON', text);
  }
  const header = member(content, 'header');
  const trId = named(member(header, 'tr_id'));
  if (trId === HEARTBEAT) return { kind: 'heartbeat', reply: text };
  const body = member(content, 'body');
  const code = member(body, 'msg_cd');
  const words = member(body, 'msg1');
  if (typeof code !== 'string' && typeof words !== 'string') return unreadable('neither msg_cd nor msg1', text);
  const message = typeof words === 'string' ? words : '';
  return {
    kind: 'answer',
    trId,
    symbol: named(member(header, 'tr_key')),
    code: typeof code === 'string' ? shown(code) : '',
    action: controlAction(typeof code === 'string' ? code : '', message, member(body, 'rt_cd')),
    message: shown(message),
    key: readKey(member(body, 'output')),
  };
}

/** The error that a refused answer stands for; `undefined` for a success. */
export function refusalOf(answer: ControlAnswer): MarketDataError | undefined {
  if (SUCCESSES.has(answer.action)) return undefined;
  const subject = answer.trId === undefined ? 'the session' : `${answer.trId} ${answer.symbol ?? ''}`.trimEnd();
  return new MarketDataError(
    'CONNECTION_REFUSED_BY_VENUE',
    `KIS refuses ${subject}: ${answer.code} ${answer.message}`.trimEnd(),
    {
      context: {
        code: answer.code,
        action: answer.action,
        ...(answer.action === 'not-entitled' && { retryAfterMs: NOT_FAST_MS }),
      },
      retryable: !FINAL.has(answer.action),
    },
  );
}

const HEARTBEAT = 'PINGPONG';
const MAX_SHOWN = 120;
const SUCCESSES: ReadonlySet<ControlAction> = new Set(['active', 'already-active', 'freed', 'already-freed']);
/** Asking again cannot help. */
const FINAL: ReadonlySet<ControlAction> = new Set(['fatal', 'drop-symbol', 'stop-adding']);
/** No fast retry is all that is known of it; five minutes is the longest wait of any other. */
const NOT_FAST_MS = 300_000;

function readKey(output: unknown): CipherKey | undefined {
  const key = member(output, 'key');
  const iv = member(output, 'iv');
  return typeof key === 'string' && typeof iv === 'string' && key !== '' && iv !== ''
    ? new CipherKey(key, iv)
    : undefined;
}

function named(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value !== '(null)' ? shown(value) : undefined;
}

/** Without secrets, and no longer than any text that the venue is known to send. */
function shown(text: string): string {
  const redacted = redact(text);
  return redacted.length > MAX_SHOWN ? `${redacted.slice(0, MAX_SHOWN)}…` : redacted;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function unreadable(reason: string, text: string): ControlMessage {
  const error = new MarketDataError(
    'VALIDATION_FRAME',
    `unreadable message: ${reason}: ${JSON.stringify(shown(text))}`,
  );
  return { kind: 'unreadable', error, text: redact(text) };
}
