import { describe, expect, it } from 'vitest';
import {
  connectAttempt,
  mayConnectAt,
  type ConnectAttempt,
  type ConnectOutcome,
} from '../src/sessions/connect-policy.js';

const SECOND = 1_000;
const NOW = 1_000_000;

/** The wait in seconds after these outcomes, one after the other at one moment, or so many seconds after the one before. */
function waitAfter(outcomes: readonly (ConnectOutcome | number)[], random = 0, fingerprint = 'same'): number {
  let last: ConnectAttempt | undefined;
  let now = NOW;
  for (const outcome of outcomes) {
    if (typeof outcome === 'number') now += outcome * SECOND;
    else last = connectAttempt(last, outcome, 'same', now, random);
  }
  return Math.max(0, mayConnectAt(last, fingerprint) - now) / SECOND;
}

describe('a session may be opened', () => {
  it('whatever is remembered of openings: no more than sixteen', () => {
    let last: ConnectAttempt | undefined;
    for (let n = 0; n < 40; n += 1) last = connectAttempt(last, 'started', 'same', NOW + n, 0);
    expect(last?.openings).toEqual(Array.from({ length: 16 }, (_, n) => NOW + 24 + n));
  });

  it('at once when none was, or after one that we closed', () => {
    expect(mayConnectAt(undefined, 'any')).toBe(0);
    expect(waitAfter(['started', 'confirmed', 'closed'])).toBe(0);
  });

  it.each([['lost'], ['confirmed'], ['approval-refused'], ['started']] as const)(
    '20 s after one that was "%s" and has no better end',
    (outcome) => {
      expect(waitAfter(['started', outcome])).toBe(outcome === 'started' ? 40 : 20);
      expect(waitAfter([outcome])).toBe(20);
    },
  );

  it('ever later while sessions end unconfirmed, up to five minutes, and sooner again once one has stood', () => {
    const failed = ['started', 'lost'] as const;
    expect(waitAfter([...failed, ...failed])).toBe(40);
    expect(waitAfter([...failed, ...failed, ...failed])).toBe(80);
    expect(waitAfter(Array.from({ length: 100 }, () => failed).flat())).toBe(300);
    expect(waitAfter([...failed, ...failed, 'started', 'confirmed', 300, 'lost'])).toBe(20);
    expect(waitAfter([...failed, ...failed, 'started', 'confirmed', 'closed', 600, 'started', 'lost'])).toBe(20);
  });

  it('ever later too while sessions are confirmed and dropped before they have stood for five minutes', () => {
    const dropped = ['started', 'confirmed', 299, 'lost'] as const;
    expect(waitAfter([...dropped, ...dropped, ...dropped])).toBe(80);
    expect(waitAfter(Array.from({ length: 100 }, () => dropped).flat())).toBe(300);
    expect(
      waitAfter([...dropped, ...dropped, 'started', 'confirmed', 300, 'lost', 'started', 'confirmed', 'lost']),
    ).toBe(20);
  });

  it('60 to 90 s after "already in use"', () => {
    expect(waitAfter(['started', 'in-use'], 0)).toBe(60);
    expect(waitAfter(['started', 'in-use'], 0.5)).toBe(75);
    expect(waitAfter(['started', 'in-use'], 0.999)).toBeLessThanOrEqual(90);
  });

  it('ten minutes after a fresh approval key was refused, doubling to forty: so it is all night', () => {
    const refused = ['started', 'fresh-approval-refused'] as const;
    expect(waitAfter(refused)).toBe(600);
    expect(waitAfter([...refused, 600, ...refused])).toBe(1_200);
    expect(
      waitAfter(
        Array.from({ length: 20 }, () => [...refused, 2_400])
          .flat()
          .slice(0, -1),
      ),
    ).toBe(2_400);
  });

  it('an hour after the key itself was refused, and 20 s after if it is another secret now', () => {
    expect(waitAfter(['started', 'key-refused'])).toBe(3_600);
    expect(waitAfter(['started', 'key-refused'], 0, 'another')).toBe(20);
  });

  it('at once three times in ten minutes, then ever later, however well they ended', () => {
    const restart = ['started', 'confirmed', 'closed'] as const;
    expect(waitAfter([...restart, ...restart])).toBe(0);
    expect(waitAfter([...restart, ...restart, ...restart])).toBe(20);
    expect(waitAfter([...restart, ...restart, ...restart, ...restart])).toBe(40);
    expect(waitAfter(Array.from({ length: 100 }, () => restart).flat())).toBe(300);
    expect(waitAfter([...restart, ...restart, 600, ...restart])).toBe(0);
  });

  it('no sooner when a clock is set back', () => {
    const openings = [NOW + 3_600_000, NOW + 3_600_000];
    const before = { at: NOW, outcome: 'closed', failures: 0, notBefore: 0, fingerprint: 'same', openings } as const;
    expect(connectAttempt(before, 'started', 'same', NOW, 0).openings).toEqual([NOW, NOW, NOW]);
  });
});
