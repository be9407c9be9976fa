import { describe, expect, it } from 'vitest';
import { align } from './align.ts';
import type { LoggedRecord, SentFrame } from './records.ts';

const STREAM = { symbol: 'KRW-BTC', channel: 'tick' } as const;

/** One frame a letter, sent a second apart; `|` begins the next connection. */
function sentAs(letters: string): readonly SentFrame[] {
  let connection = 1;
  return [...letters].flatMap((letter, at) => {
    if (letter === '|') connection += 1;
    const about = { connection: `c${connection}`, sentAt: BigInt(at) * 1_000n, reference: letter };
    return letter === '|' ? [] : [{ ...STREAM, ...about, seq: at, isSnapshot: false, content: letter }];
  });
}

/** Each as `letter@second` of its receiving. */
function loggedAs(...records: readonly string[]): readonly LoggedRecord[] {
  return records.map((text, offset) => {
    const [letter = '', second = '0'] = text.split('@');
    const about = { receivedAt: BigInt(second) * 1_000n + 1n, reference: letter, content: letter };
    return { ...STREAM, ...about, partition: 0, offset, isSnapshot: false };
  });
}

function missingSeqs(sent: string, ...records: readonly string[]): readonly number[] {
  return align(sentAs(sent), loggedAs(...records)).missing.map(({ seq }) => seq);
}

describe('frames that are alike', () => {
  it('are told apart by the connection that stood when the record was received', () => {
    expect(missingSeqs('ab|a', 'a@0', 'b@1')).toEqual([3]);
    expect(missingSeqs('ab|a', 'b@1', 'a@3')).toEqual([0]);
    expect(missingSeqs('a|ab', 'a@2', 'b@3')).toEqual([0]);
    expect(missingSeqs('a|a|ab', 'a@2', 'a@4', 'b@5')).toEqual([0]);
    expect(missingSeqs('a|a|ab', 'a@0', 'a@4', 'b@5')).toEqual([2]);
  });

  it('are all found when all are there, and a further one is doubled', () => {
    const { missing, doubled, outOfOrder } = align(sentAs('a|ab|a'), loggedAs('a@9', 'a@9', 'b@9', 'a@9', 'a@9'));
    expect(missing).toEqual([]);
    expect(outOfOrder).toEqual([]);
    expect(doubled.map(({ offset }) => offset)).toEqual([4]);
  });
});
