import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff } from './backoff.js';

const POLICY = { floorMs: 100, capMs: 1_000, factor: 2, jitter: 0, retries: 0 };

describe('the back-off', () => {
  it('begins at the floor, doubles, and stays at the cap', () => {
    const backoff = new Backoff(POLICY, () => 0.5);
    expect(Array.from({ length: 7 }, () => backoff.fail())).toEqual([100, 200, 400, 800, 1_000, 1_000, 1_000]);
    expect(backoff.failures).toBe(7);
  });

  it('begins anew after a reset', () => {
    const backoff = new Backoff(POLICY, () => 0.5);
    backoff.fail();
    backoff.fail();
    backoff.reset();
    expect(backoff.failures).toBe(0);
    expect(backoff.fail()).toBe(100);
  });

  it('puts the jitter on top, never below the wait', () => {
    const randoms = [0, 0.5, 0.999];
    const backoff = new Backoff({ ...POLICY, factor: 1, jitter: 0.5 }, () => randoms.shift() ?? 0);
    expect([backoff.fail(), backoff.fail(), backoff.fail()]).toEqual([100, 125, 150]);
  });

  it('gives up after the retries in a row, and never with 0', () => {
    const bounded = new Backoff({ ...POLICY, retries: 2 }, () => 0);
    expect([bounded.fail(), bounded.fail(), bounded.fail()]).toEqual([100, 200, undefined]);
    const endless = new Backoff(POLICY, () => 0);
    for (let n = 0; n < 5_000; n += 1) expect(endless.fail()).toBeLessThanOrEqual(1_000);
  });

  it('never waits longer than a timer can', () => {
    const longest = 2_147_483_647;
    const backoff = new Backoff({ ...POLICY, floorMs: longest, capMs: longest, jitter: 1 }, () => 0.9);
    expect(backoff.fail()).toBe(longest);
  });

  it('waits between floor and cap plus jitter, whatever the policy', () => {
    const policies = fc.record({
      floorMs: fc.integer({ min: 1, max: 10_000 }),
      capMs: fc.integer({ min: 10_000, max: 300_000 }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      retries: fc.constant(0),
    });
    const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(policies, randoms, fc.nat({ max: 2_000 }), (policy, random, failures) => {
        const backoff = new Backoff(policy, () => random);
        for (let n = 0; n < failures; n += 1) backoff.fail();
        const wait = backoff.fail() ?? Number.NaN;
        expect(wait).toBeGreaterThanOrEqual(policy.floorMs);
        expect(wait).toBeLessThanOrEqual(Math.ceil(policy.capMs * (1 + policy.jitter)));
      }),
    );
  });
});
