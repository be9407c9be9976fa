import { excerpt } from '../redactor.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** What came to a request. */
export type HttpAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly contentType: string;
      /** Header `tr_cont`: whether there are further pages. */
      readonly continues: string;
      /** `undefined`: the body is no JSON object. */
      readonly fields: Fields | undefined;
      readonly text: string;
    }
  | { readonly kind: 'none'; readonly why: string };

export interface HttpQuestion {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Fields;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/** Asks once. @throws the signal's reason */
export async function ask({ method, url, headers, body }: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  try {
    const response = await fetch(url, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
      // A secret goes to the host it belongs to and nowhere else.
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const text = await bounded(response);
    return {
      kind: 'answer',
      status: response.status,
      contentType: response.headers.get('content-type') ?? 'no content type',
      continues: response.headers.get('tr_cont') ?? '',
      fields: objectIn(text),
      text,
    };
  } catch (cause) {
    signal.throwIfAborted();
    return { kind: 'none', why: `no answer of ${url.host} (${reasonOf(cause)})` };
  }
}

/** What came, where it is not what was asked for: the code and the words of KIS, else the beginning of the body. */
export function described(answer: HttpAnswer): string {
  if (answer.kind === 'none') return answer.why;
  const { status, contentType, fields, text } = answer;
  if (fields === undefined) return `HTTP ${status} with ${contentType}, no JSON: ${excerpt(text)}`;
  const code = codeOf(answer);
  if (code === undefined) return `HTTP ${status} without a code, with the fields ${Object.keys(fields).join(', ')}`;
  return `HTTP ${status} ${code} ${excerpt(wordsOf(fields))}`;
}

/** The token's address names its code `error_code`, the others `msg_cd`. */
export function codeOf(answer: HttpAnswer): string | undefined {
  if (answer.kind === 'none') return undefined;
  const code = answer.fields?.['error_code'] ?? answer.fields?.['msg_cd'];
  if (code === undefined) return undefined;
  return typeof code === 'string' && /^[A-Z]{3,4}\d{4,5}$/.test(code) ? code : 'a code of another form';
}

function wordsOf(fields: Fields): string {
  const words = fields['error_description'] ?? fields['msg1'];
  return typeof words === 'string' ? words : '';
}

async function bounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new RangeError(`more than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

function objectIn(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof DOMException && cause.name === 'TimeoutError') return `within ${TIMEOUT_MS / 1000} s`;
  if (!(cause instanceof Error)) return 'of an unknown kind';
  const inner = cause.cause;
  if (inner instanceof Error) return 'code' in inner ? String(inner.code) : inner.message;
  return cause.message;
}
