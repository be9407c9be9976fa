import { MarketDataError } from '@aipx/market-model';

/** A token is at most 350 characters; far beyond any answer of KIS. */
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * An answer's JSON object; an empty one for anything else, such as a proxy's page. What stood there is not kept: a
 * broken answer may hold half a token.
 */
export async function readAnswer(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const text = await readBounded(response);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) {
      throw new MarketDataError('CONNECTION_FAILED', `KIS answered with more than ${MAX_ANSWER_BYTES} bytes`, {
        retryable: true,
      });
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}
