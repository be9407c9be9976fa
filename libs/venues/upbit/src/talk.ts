import { MarketDataError } from '@aipx/market-model';
import type { FrameReading } from '@aipx/venue';
import { isObject, shown, type Message } from './message.js';

/** Everything that is not market data (documented: "WebSocket usage and error guide"). */
interface TalkMessage extends Message {
  /** The answer to `PING`: `{"status":"UP"}`, from then on every 10 s (as seen on the wire). */
  readonly status?: unknown;
  /** The answer to LIST_SUBSCRIPTIONS. */
  readonly method?: unknown;
  readonly mthd?: unknown;
  /** `{"error":{"name":"NO_TICKET","message":"…"}}`; the server closes within 200 ms (as seen on the wire). */
  readonly error?: unknown;
}

/** The reading of a message without market data; `undefined` when it is no such message. */
export function readTalk(message: TalkMessage): FrameReading | undefined {
  if (isObject<ErrorBody>(message.error)) return { kind: 'refusal', error: refusal(message.error) };
  const isControl = (message.status ?? message.method ?? message.mthd) !== undefined;
  return isControl ? { kind: 'control' } : undefined;
}

interface ErrorBody {
  readonly name?: unknown;
  readonly message?: unknown;
}

/**
 * Names that say the request itself is wrong: sending it again cannot help. Any other name, an exceeded limit or one
 * that is not documented, may pass.
 */
const FINAL = new Set(['WRONG_FORMAT', 'NO_TICKET', 'NO_TYPE', 'NO_CODES', 'INVALID_PARAM', 'INVALID_AUTH']);

function refusal({ name, message }: ErrorBody): MarketDataError {
  const code = typeof name === 'string' ? name : 'without a name';
  return new MarketDataError(
    'CONNECTION_REFUSED_BY_VENUE',
    `Upbit refuses the subscription: ${code}, ${shown(message)}`,
    {
      context: { name: code },
      retryable: !FINAL.has(code),
    },
  );
}
