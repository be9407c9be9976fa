import { describe, expect, it } from 'vitest';
import {
  connectAttempt,
  mayConnectAt,
  type ConnectAttempt,
  type ConnectOutcome,
} from '../src/sessions/connect-policy.js';

const SECOND = 1_000;
const NOW = 1_000_000;

/** The wait in seconds after these outcomes, one after the other at one moment. */
function waitAfter(outcomes: readonly ConnectOutcome[], random = 0, fingerprint = 'same'): number {
  let last: ConnectAttempt | undefined;
  for (const outcome of outcomes) last = connectAttempt(last, outcome, 'same', NOW, random);
  return Math.max(0, mayConnectAt(last, fingerprint) - NOW) / SECOND;
}

describe('a session may be opened', () => {
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

  it('ever later while sessions end unconfirmed, up to five minutes, and sooner again once one was confirmed', () => {
    const failed = ['started', 'lost'] as const;
    expect(waitAfter([...failed, ...failed])).toBe(40);
    expect(waitAfter([...failed, ...failed, ...failed])).toBe(80);
    expect(waitAfter(Array.from({ length: 100 }, () => failed).flat())).toBe(300);
    expect(waitAfter([...failed, ...failed, 'started', 'confirmed', 'lost'])).toBe(20);
  });

  it('60 to 90 s after "already in use"', () => {
    expect(waitAfter(['started', 'in-use'], 0)).toBe(60);
    expect(waitAfter(['started', 'in-use'], 0.5)).toBe(75);
    expect(waitAfter(['started', 'in-use'], 0.999)).toBeLessThanOrEqual(90);
  });

  it('ten minutes after a fresh approval key was refused', () => {
    expect(waitAfter(['started', 'fresh-approval-refused'])).toBe(600);
  });

  it('an hour after the key itself was refused, and 20 s after if it is another secret now', () => {
    expect(waitAfter(['started', 'key-refused'])).toBe(3_600);
    expect(waitAfter(['started', 'key-refused'], 0, 'another')).toBe(20);
  });
});
