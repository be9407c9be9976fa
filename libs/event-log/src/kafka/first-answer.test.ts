import { describe, expect, it } from 'vitest';
import { MarketDataError } from '@aipx/market-model';
import { firstAnswer, type Respondent } from './first-answer.js';

const LONG_MS = 60_000;

const hanging: Respondent<string> = { name: 'hanging', ask: () => new Promise(() => undefined) };
const answering: Respondent<string> = { name: 'answering', ask: () => Promise.resolve('here') };
const failing = (retryable: boolean): Respondent<string> => ({
  name: 'failing',
  ask: () => Promise.reject(new MarketDataError('CONNECTION_FAILED', 'nothing listens there', { retryable })),
});

describe('the first answer of several brokers', () => {
  it('is that of one that answers, though those before it hang or fail', async () => {
    expect(await firstAnswer([hanging, failing(true), answering], LONG_MS)).toBe('here');
  });

  it('is not asked of the others while the first one answers at once', async () => {
    let asked = 0;
    const other = { name: 'other', ask: () => Promise.resolve(String((asked += 1))) };
    expect(await firstAnswer([answering, other], LONG_MS)).toBe('here');
    expect(asked).toBe(0);
  });

  it('is given up in time when all of them hang or fail, with what each one says', async () => {
    await expect(firstAnswer([failing(true), hanging], 50)).rejects.toMatchObject({
      code: 'CONNECTION_FAILED',
      retryable: true,
      message: expect.stringMatching(/nothing listens there.*hanging does not answer \(50 ms\)/) as string,
    });
    await expect(firstAnswer([failing(true)], LONG_MS)).rejects.toMatchObject({ retryable: true });
  });

  it('is an error that no retry can mend as soon as one says so', async () => {
    await expect(firstAnswer([failing(false), hanging], LONG_MS)).rejects.toMatchObject({ retryable: false });
  });
});
