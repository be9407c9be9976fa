import { describe, expect, it } from 'vitest';
import { MarketDataError } from '@aipx/market-model';
import type { GroupMember, Membership } from './group-member.js';
import { keepMembership } from './keep-membership.js';

const SESSION_MS = 200;
const LONG_MS = 60_000;

/** A member of a group, as far as its heartbeats go. */
function memberWith(beat: GroupMember['beat']): GroupMember {
  return { beat } as GroupMember;
}

describe('a membership', () => {
  it.each([
    ['hangs', () => new Promise<never>(() => undefined)],
    ['fails', () => Promise.reject(new MarketDataError('CONNECTION_LOST', 'cut off', { retryable: true }))],
    // It is heard of no longer: the answers are to heartbeats that were sent too long ago.
    ['is answered late', () => Promise.resolve(false)],
  ])('is over as soon as its session may be, also while a heartbeat %s', async (_, beat) => {
    const faults: string[] = [];
    const stop = new AbortController();
    const heardAt = performance.now();
    const membership: Membership = { memberId: 'm', generationId: 1, partitions: [], counts: new Map(), heardAt };
    const over = Promise.withResolvers<undefined>();
    const options = {
      group: 'hot',
      sessionTimeoutMs: SESSION_MS,
      onFault: ({ message }: Error) => void faults.push(message),
    };
    void keepMembership(memberWith(beat), membership, options, stop.signal, () => over.resolve(undefined));
    await over.promise;
    expect(performance.now() - heardAt).toBeGreaterThanOrEqual(SESSION_MS - 1);
    expect(faults.join()).toContain('group hot has not heard of this member for 200 ms');
    stop.abort();
  });

  it('holds as long as heartbeats are answered, and is over at once when they say that the group has moved on', async () => {
    const stop = new AbortController();
    const heardAt = performance.now();
    const membership: Membership = { memberId: 'm', generationId: 1, partitions: [], counts: new Map(), heardAt };
    let beats = 0;
    const member = memberWith(async (of) => {
      of.heardAt = performance.now() + LONG_MS;
      return (beats += 1) === 15;
    });
    const over = Promise.withResolvers<number>();
    const options = { group: 'hot', sessionTimeoutMs: 10 * SESSION_MS, onFault: () => undefined };
    const keeping = keepMembership(member, membership, options, stop.signal, () => over.resolve(beats));
    // One and a half sessions' worth of heartbeats.
    expect(await over.promise).toBe(15);
    stop.abort();
    await keeping;
  });
});
