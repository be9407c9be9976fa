import { MarketDataError } from '@aipx/market-model';

/** What the usual faults of a connection mean, and what to look at. */
const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the broker up, and is that its port?',
  ENOTFOUND: 'the name is not known: is it spelled right, here and in the advertised.listeners of the broker?',
  EAI_AGAIN: 'the name cannot be looked up now: is DNS reachable?',
  EHOSTUNREACH: 'there is no way to that host: is the network up?',
  ENETUNREACH: 'there is no way to that network: is it up?',
  ETIMEDOUT: 'the host does not answer: is a firewall between?',
  ECONNRESET: 'the broker ended the connection: was it stopped?',
  EPIPE: 'the broker ended the connection: was it stopped?',
};

/** `CONNECTION_FAILED`, or `CONNECTION_LOST` for a connection that was good before; retryable. */
export function connectionFailed(broker: string, cause: Error): MarketDataError {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const said = HINTS[code] ?? describe(cause);
  const lost = code === 'ECONNRESET' || code === 'EPIPE';
  return new MarketDataError(
    lost ? 'CONNECTION_LOST' : 'CONNECTION_FAILED',
    `Kafka broker ${broker}: ${said}${code === '' ? '' : ` (${code})`}`,
    { cause, context: { broker }, retryable: true },
  );
}

/** Something answers there, but not a Kafka broker as this client knows it. */
export function notKafka(broker: string, answered: string, cause: unknown): MarketDataError {
  return new MarketDataError('CONNECTION_FAILED', `Kafka broker ${broker} answered with ${answered}`, {
    cause,
    context: { broker },
    retryable: true,
  });
}

/** Not retryable: the broker must be replaced. */
export function otherVersion(
  broker: string,
  api: { readonly name: string; readonly version: number },
): MarketDataError {
  return new MarketDataError(
    'CONFIG_INVALID',
    `Kafka broker ${broker} does not know version ${api.version} of ${api.name}; expected Kafka 2.4 or later`,
    { context: { broker } },
  );
}

/** A refused connection to a name with several addresses is an `AggregateError` without a message. */
function describe(cause: Error): string {
  if (cause.message !== '') return cause.message;
  return cause instanceof AggregateError ? cause.errors.map(String).join('; ') : cause.name;
}
