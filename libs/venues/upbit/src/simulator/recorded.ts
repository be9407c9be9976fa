/** Nearly every frame begins like this, and then says all that is asked here without being parsed. */
const DATA_HEAD = /^\{"(?:type|ty)":"(?:trade|orderbook)","(?:code|cd)":"([0-9A-Z]+-[0-9A-Z]+)",/;

/** Documented. */
const DATA_TYPE = /^(?:trade|orderbook|ticker|candle\..*)$/s;

/** Everything is market data but what is surely protocol talk: one message of it, or a list of nothing else. */
export function isData(frame: string): boolean {
  if (DATA_HEAD.test(frame)) return true;
  const parsed = parse(frame);
  if (!Array.isArray(parsed)) return !isTalk(parsed);
  return parsed.length === 0 || !parsed.every(isTalk);
}

/** Status, error and the answer of LIST_SUBSCRIPTIONS; a value that is missing or of another shape says nothing. */
function isTalk(message: unknown): boolean {
  if (!isRecord(message)) return false;
  const type = message['type'] ?? message['ty'];
  if (typeof type === 'string' && DATA_TYPE.test(type)) return false;
  return isRecord(message['error']) || (message['status'] ?? message['method'] ?? message['mthd']) !== undefined;
}

/** The codes of a frame in any of the four formats. */
export function symbolsIn(frame: string): readonly string[] {
  const code = DATA_HEAD.exec(frame)?.[1];
  if (code !== undefined) return [code];
  const parsed = parse(frame);
  const messages: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return messages.flatMap((message) => {
    const named = isRecord(message) ? (message['code'] ?? message['cd']) : undefined;
    return typeof named === 'string' && named !== '' ? [named] : [];
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
