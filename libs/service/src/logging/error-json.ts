import { MarketDataError } from '@aipx/market-model';

/** Causes of causes, and errors of an aggregate: so many at most. */
const DEEPEST = 8;

/**
 * An error as a log carries it: code, message, context, and what caused it, down to the first failure. Our own errors
 * say enough by their code; others also carry their stack, for they are not expected.
 */
export function errorJson(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as { readonly code?: unknown };
  const deeper = depth < DEEPEST;
  return {
    type: error.name,
    ...(code !== undefined && { code }),
    message: error.message,
    ...(error instanceof MarketDataError ? ownFields(error) : { stack: error.stack }),
    ...(error instanceof AggregateError &&
      deeper && { errors: error.errors.slice(0, DEEPEST).map((each) => errorJson(each, depth + 1)) }),
    ...(error.cause !== undefined && deeper && { cause: errorJson(error.cause, depth + 1) }),
  };
}

function ownFields({ retryable, context }: MarketDataError): object {
  return { retryable, ...(Object.keys(context).length > 0 && { context }) };
}
