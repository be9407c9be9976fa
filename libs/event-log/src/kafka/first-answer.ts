import { setTimeout as sleep } from 'node:timers/promises';
import { MarketDataError } from '@aipx/market-model';

export interface Respondent<Answer> {
  readonly name: string;
  readonly ask: () => Promise<Answer>;
}

/** One that hesitates for so long, ms, is not waited for alone. */
const HEAD_START_MS = 500;

/**
 * Asks one after the other, the next one as soon as one fails or hesitates, and takes the first answer. What the others
 * still answer is let go.
 *
 * @throws {MarketDataError} `CONNECTION_FAILED` (retryable) with what each of them says, `timeoutMs` after the call at
 * the latest; or what one says that no retry can mend
 */
export async function firstAnswer<Answer>(
  respondents: readonly Respondent<Answer>[],
  timeoutMs: number,
): Promise<Answer> {
  const over = new AbortController();
  const faults = new Map<string, string>();
  const answer = Promise.withResolvers<Answer>();
  const timer = setTimeout(() => {
    for (const { name } of respondents) {
      if (!faults.has(name)) faults.set(name, `Kafka broker ${name} does not answer (${timeoutMs} ms)`);
    }
    answer.reject(nobodyAnswers(faults));
  }, timeoutMs);
  const ask = async (respondent: Respondent<Answer>) => {
    try {
      answer.resolve(await respondent.ask());
    } catch (cause) {
      if (!(cause instanceof MarketDataError) || !cause.retryable) return answer.reject(cause);
      faults.set(respondent.name, cause.message);
      if (faults.size === respondents.length) answer.reject(nobodyAnswers(faults));
    }
  };
  const askAll = async () => {
    for (const respondent of respondents) {
      if (over.signal.aborted) return;
      const headStart = sleep(HEAD_START_MS, undefined, { signal: over.signal }).catch(() => undefined);
      await Promise.race([ask(respondent), headStart]);
    }
  };
  void askAll();
  try {
    return await answer.promise;
  } finally {
    over.abort();
    clearTimeout(timer);
  }
}

function nobodyAnswers(faults: ReadonlyMap<string, string>): MarketDataError {
  return new MarketDataError('CONNECTION_FAILED', `no Kafka broker answers. ${[...faults.values()].join('. ')}`, {
    context: { brokers: [...faults.keys()].join(',') },
    retryable: true,
  });
}
