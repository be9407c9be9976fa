/** What a client asks of the real-time server. */
export type Request =
  | { readonly kind: 'pong' }
  | {
      readonly kind: 'register' | 'unregister';
      readonly approvalKey: string;
      readonly transaction: string;
      readonly symbol: string;
    }
  /** The answer of the real-time server to what cannot be read. */
  | { readonly kind: 'error'; readonly code: string };

type Fields = Readonly<Record<string, unknown>>;

export function readRequest(text: string): Request {
  const message = objectIn(text);
  if (message === undefined) return { kind: 'error', code: 'OPSP9999' };
  const header = fieldsOf(message['header']);
  if (header === undefined) return { kind: 'error', code: 'OPSP9998' };
  if (header['tr_id'] === 'PINGPONG') return { kind: 'pong' };
  const { custtype, tr_type: type, approval_key: approvalKey } = header;
  if (custtype === undefined) return { kind: 'error', code: 'OPSP9997' };
  if (custtype !== 'P' && custtype !== 'B') return { kind: 'error', code: 'OPSP8998' };
  if (type !== '1' && type !== '2') return { kind: 'error', code: 'OPSP8997' };
  const body = fieldsOf(message['body']);
  if (body === undefined) return { kind: 'error', code: 'OPSP9992' };
  const input = fieldsOf(body['input']);
  if (input === undefined) return { kind: 'error', code: 'OPSP9991' };
  const { tr_id: transaction, tr_key: symbol } = input;
  if (symbol === undefined) return { kind: 'error', code: 'OPSP9990' };
  if (typeof symbol !== 'string') return { kind: 'error', code: 'OPSP8993' };
  return {
    kind: type === '1' ? 'register' : 'unregister',
    approvalKey: typeof approvalKey === 'string' ? approvalKey : '',
    transaction: typeof transaction === 'string' ? transaction : '',
    symbol,
  };
}

function objectIn(text: string): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
}
