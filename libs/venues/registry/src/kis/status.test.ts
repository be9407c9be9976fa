import { KisAccount, type KisAccessWait, type KisKeyStatistics, type LeaseHindrance } from '@aipx/kis-auth';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { statusOf, type KeysInUse } from './status.js';

const MAIN = new KisAccount('main', 'real', 'a-made-up-app-key', 'a-made-up-app-secret');
const OTHER = new KisAccount('other', 'real', 'another-app-key', 'another-app-secret');
const AWAY = new MarketDataError('STORE_UNAVAILABLE', 'Redis at redis:6379 takes no command');

interface Situation {
  readonly isAway?: boolean;
  readonly hindrance?: LeaseHindrance;
  readonly approvalKey?: string;
  readonly failure?: string;
  readonly lease?: KisKeyStatistics['lease'];
  readonly leaseFailure?: MarketDataError;
}

/** Two keys of which the second is in this situation. */
function keys(situation: Situation = {}): KeysInUse {
  const { isAway = false, hindrance, approvalKey, failure, lease = 'none', leaseFailure } = situation;
  const key = (account: KisAccount) => ({
    account,
    takes: undefined,
    connectAttempts: { nextAt: Date.UTC(2026, 10, 23, 1) },
    statistics: { leaseHindrance: undefined, leaseFailure: undefined, lease: 'none' as const, approvalKey: {} },
  });
  const statistics = {
    leaseHindrance: hindrance,
    leaseFailure,
    lease,
    approvalKey: { ...(approvalKey !== undefined && { waitingFor: approvalKey }), ...(failure && { failure }) },
  };
  return { isAway, place: 'Redis at redis:6379', keys: [key(OTHER), { ...key(MAIN), statistics }] };
}

type Key = KeysInUse['keys'][number];

function keysOf(...all: readonly Key[]): KeysInUse {
  return { isAway: false, place: 'Redis at redis:6379', keys: all };
}

function keyWith(account: KisAccount, takes: readonly string[], lease: KisKeyStatistics['lease']): Key {
  const statistics = { leaseHindrance: undefined, leaseFailure: undefined, lease, approvalKey: {} };
  return { account, takes, connectAttempts: { nextAt: 0 }, statistics };
}

/** @param taken by the process that has the session; absent where it does not tell */
function standingBy(account: KisAccount, takes: readonly string[], taken?: readonly string[]): Key {
  const { statistics, ...key } = keyWith(account, takes, 'waiting');
  return { ...key, statistics: { ...statistics, leaseHindrance: { kind: 'held', ...(taken && { takes: taken }) } } };
}

describe('what a key waits for', () => {
  it.each<[string, KisAccessWait, Situation]>([
    ['the right to its session is being asked for', 'lease', {}],
    ['another process has its session', 'lease', { hindrance: { kind: 'held' } }],
    [
      'Redis at redis:6379 has just begun or come back; holders of sessions are given the time to put their leases back',
      'lease',
      { hindrance: { kind: 'young-store' } },
    ],
    ['Redis at redis:6379 takes no command', 'lease', { hindrance: { kind: 'store', error: AWAY } }],
    ['no session before 2026-11-23T01:00:00.000Z', 'turn', {}],
    ['an approval key is being issued', 'approval-key', {}],
    ['KIS issues none before 09:00', 'approval-key', { approvalKey: 'KIS issues none before 09:00' }],
    ['Redis at redis:6379 does not answer', 'turn', { isAway: true }],
  ])('is told with its account: %s', (says, waitingFor, situation) => {
    const accesses = [
      { account: OTHER, waitingFor: undefined },
      { account: MAIN, waitingFor },
    ];
    expect(statusOf(keys(situation), accesses)).toEqual({ waitsFor: [`account "main": ${says}`] });
  });

  it('is a fault where the process that has the session does not take what this one is to record', () => {
    const names = Array.from({ length: 8 }, (_, index) => `KRX 00000${index} tick`);
    const key = standingBy(MAIN, names, names.slice(7));
    expect(statusOf(keysOf(key), [{ account: MAIN, waitingFor: 'lease' }])).toEqual({
      waitsFor: ['account "main": another process has its session'],
      faults: [
        'nobody records KRX 000000 tick, KRX 000001 tick, KRX 000002 tick, KRX 000003 tick, KRX 000004 tick and 2 more: the ' +
          'process that has the session of account "main" does not take them; give this process another key, or all that ' +
          'share the key the same KIS_SEGMENT, MARKET_CHANNELS and MARKETS, in the same order',
      ],
    });
  });

  it('is nothing while every key has its session', () => {
    expect(statusOf(keys(), [{ account: MAIN, waitingFor: undefined }])).toEqual({ waitsFor: [] });
  });

  it('is Redis while it is away, before a session is asked for', () => {
    const status = statusOf(keys({ isAway: true }), [{ account: MAIN, waitingFor: undefined }]);
    expect(status).toEqual({ waitsFor: ['Redis at redis:6379 does not answer'] });
  });

  it('is nothing while Redis is away from sessions that stand, which are guarded no longer', () => {
    const status = statusOf(keys({ isAway: true, lease: 'held' }), [{ account: MAIN, waitingFor: undefined }]);
    expect(status).toEqual({
      waitsFor: [],
      risks: [expect.stringMatching(/^Redis at redis:6379 does not answer: .* their leases are not renewed/)],
    });
  });

  it('is nothing for a moment, and a risk where Redis answers and refuses to renew the lease of a session', () => {
    const leaseFailure = new MarketDataError(
      'STORE_UNAVAILABLE',
      'Redis at redis:6379 refuses: OOM command not allowed',
    );
    const accesses = [{ account: MAIN, waitingFor: undefined }];
    expect(statusOf(keys({ lease: 'held' }), accesses)).toEqual({ waitsFor: [] });
    expect(statusOf(keys({ lease: 'held', leaseFailure }), accesses)).toEqual({
      waitsFor: [],
      risks: [expect.stringMatching(/^Redis at redis:6379 refuses: OOM .* their leases are not renewed/)],
    });
  });

  it('is a fault where KIS has issued no approval key, as long as one is wanted and Redis answers', () => {
    const failure = '127.0.0.1:9443 could not be reached (connect ECONNREFUSED 127.0.0.1:9443)';
    const situation = { failure, approvalKey: 'KIS is asked again at 09:00' };
    const wanted = { account: MAIN, waitingFor: 'approval-key' } as const;
    expect(statusOf(keys(situation), [wanted])).toEqual({
      waitsFor: ['account "main": KIS is asked again at 09:00'],
      faults: [`account "main" has no approval key: ${failure}`],
    });
    expect(statusOf(keys(situation), [{ account: MAIN, waitingFor: 'turn' }])).not.toHaveProperty('faults');
    expect(statusOf(keys({ ...situation, isAway: true }), [wanted])).not.toHaveProperty('faults');
  });
});

describe('that nobody records what a key is to take', () => {
  const [samsung, hynix] = ['KRX 005930 tick', 'KRX 000660 tick'];
  const faultsOf = (...all: readonly Key[]) => {
    const waits = all.filter(({ statistics: { lease } }) => lease === 'waiting');
    return statusOf(
      keysOf(...all),
      waits.map(({ account }) => ({ account, waitingFor: 'lease' })),
    ).faults;
  };
  const nobodyRecords = (name: string, account: string): unknown =>
    expect.stringMatching(`^nobody records ${name}: the process that has the session of account "${account}" does not`);

  it('is said of its own share only: the other key takes the rest', () => {
    expect(faultsOf(standingBy(MAIN, [samsung], [samsung]), keyWith(OTHER, [hynix], 'held'))).toBeUndefined();
    expect(faultsOf(standingBy(MAIN, [samsung], []), keyWith(OTHER, [hynix], 'held'))).toEqual([
      nobodyRecords(samsung, 'main'),
    ]);
  });

  it('is said where two processes share the streams out between their keys in another way, and have one key each', () => {
    expect(faultsOf(standingBy(MAIN, [samsung], [hynix]), keyWith(OTHER, [hynix], 'held'))).toEqual([
      nobodyRecords(samsung, 'main'),
    ]);
  });

  it('is not so where another key records it, here or elsewhere', () => {
    expect(faultsOf(standingBy(MAIN, [samsung], []), keyWith(OTHER, [samsung], 'held'))).toBeUndefined();
    expect(faultsOf(standingBy(MAIN, [samsung], [hynix]), standingBy(OTHER, [hynix], [samsung]))).toBeUndefined();
  });

  it('is not known while somebody who may record it does not tell', () => {
    expect(faultsOf(standingBy(MAIN, [samsung]))).toBeUndefined();
    expect(faultsOf(standingBy(MAIN, [samsung], [hynix]), standingBy(OTHER, [hynix]))).toBeUndefined();
    expect(faultsOf(standingBy(MAIN, [samsung], [hynix]), keyWith(OTHER, [hynix], 'waiting'))).toBeUndefined();
  });

  it('is said of one channel of a symbol that the other process records by another', () => {
    expect(faultsOf(standingBy(MAIN, [samsung, 'KRX 005930 orderbook'], [samsung]))).toEqual([
      nobodyRecords('KRX 005930 orderbook', 'main'),
    ]);
  });
});
