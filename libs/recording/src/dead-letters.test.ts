import type { EventLog, LogEntry, LogRecord } from '@aipx/event-log';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { DeadLetters } from './dead-letters.js';

const NEVER = new AbortController().signal;
const LOST = new MarketDataError('PUBLISH_FAILED', 'no answer', { retryable: true });

describe('dead letters', () => {
  it('without an answer are sent again first, the very same ones, whatever comes next', async () => {
    const { letters, log } = setUp();
    log.outcomes.push(LOST);
    await expect(letters.send([dead(0), dead(1)], NEVER)).rejects.toBe(LOST);
    await letters.send([{ ...dead(1), message: 'said otherwise' }, dead(2)], NEVER);
    expect(log.keys()).toEqual([['0', '1'], ['0', '1'], ['2']]);
    expect(log.appends[1]?.every((entry, n) => entry === log.appends[0]?.[n])).toBe(true);
  });

  it('of two batches go out one after the other', async () => {
    const { letters, log } = setUp();
    await Promise.all([letters.send([dead(0)], NEVER), letters.send([dead(1)], NEVER)]);
    expect(log.keys()).toEqual([['0'], ['1']]);
  });

  it('are not waited for when the signal aborts, and finished by the next call', async () => {
    const { letters, log } = setUp();
    const answer = Promise.withResolvers<undefined>();
    log.outcomes.push(answer.promise);
    const abort = new AbortController();
    const sending = letters.send([dead(0)], abort.signal);
    await new Promise(setImmediate);
    abort.abort(LOST);
    await expect(sending).rejects.toBe(LOST);
    answer.reject(LOST);
    await letters.send([dead(1)], NEVER);
    expect(log.keys()).toEqual([['0'], ['0'], ['1']]);
  });

  it('are sent once while their batch is tried again, and anew for another batch', async () => {
    const { letters, log } = setUp();
    await letters.send([dead(0)], NEVER);
    await letters.send([dead(0)], NEVER);
    letters.stored(dead(0).record);
    await letters.send([dead(0)], NEVER);
    expect(log.keys()).toEqual([['0'], ['0']]);
  });

  it('that are large go out in portions', async () => {
    const { letters, log } = setUp();
    await letters.send(
      [0, 1, 2].map((offset) => dead(offset, 200_000)),
      NEVER,
    );
    expect(log.keys()).toEqual([['0'], ['1'], ['2']]);
  });
});

function setUp() {
  const appends: (readonly LogEntry[])[] = [];
  const outcomes: (Error | Promise<unknown>)[] = [];
  const append = async (entries: readonly LogEntry[]): Promise<void> => {
    appends.push(entries);
    const outcome = await outcomes.shift();
    if (outcome instanceof Error) throw outcome;
  };
  const keys = () => appends.map((entries) => entries.map(({ key }) => key.split('/').at(-1)));
  return { letters: new DeadLetters({ append } as unknown as EventLog), log: { appends, outcomes, keys } };
}

function dead(offset: number, bytes = 1) {
  const place = { topic: 'market.tick', partition: 0, offset: BigInt(offset) };
  const record: LogRecord = { ...place, key: '', value: Buffer.alloc(bytes), headers: {}, appendedAt: 0n };
  return { record, reason: 'VALIDATION_RECORD' as const, message: 'no' };
}
