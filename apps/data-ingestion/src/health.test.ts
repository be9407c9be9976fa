import type { IngestionStatus, VenueIngestionStatus } from '@aipx/ingestion';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { bufferHealth, logHealth, venueHealth, type LookedAt } from './health.js';

const SECOND = 1_000_000_000n;
const NOW = 1_000n * SECOND;

function venue(change: Partial<VenueIngestionStatus> = {}): VenueIngestionStatus {
  return {
    state: 'CONNECTED',
    since: NOW - 500n * SECOND,
    lastFrameAt: NOW - SECOND,
    lastError: undefined,
    reconnects: 0,
    counts: { frames: 0, received: 0, tick: 0, orderbook: 0, ignored: 0, repeated: 0, rejected: 0, notices: 0 },
    silent: [],
    stale: [],
    halted: [],
    rest: undefined,
    streams: [],
    ...change,
  };
}

const healthOf = (status: VenueIngestionStatus | undefined, looked: Partial<LookedAt> = {}) =>
  venueHealth({ driver: { id: 'upbit' }, status, unknown: [], ...looked }, NOW);

describe('health of a venue', () => {
  it('is good while it is connected and speaks', () => {
    expect(healthOf(venue())).toEqual({
      name: 'upbit',
      status: 'HEALTHY',
      detail: 'connected',
    });
  });

  it('is bad when the socket is down, and says why', () => {
    const lastError = new MarketDataError('CONNECTION_LOST', 'closed with 1006');
    expect(healthOf(venue({ state: 'RECONNECTING', lastError }))).toMatchObject({
      status: 'UNHEALTHY',
      detail: 'reconnecting: closed with 1006',
    });
    expect(healthOf(undefined).status).toBe('UNHEALTHY');
  });

  it('says what the venue has to be waited for', () => {
    const access = { waitsFor: ['account "a": Redis at localhost:6379 does not answer'], isStandingBy: false };
    expect(healthOf(venue({ state: 'CONNECTING' }), { access })).toMatchObject({
      status: 'UNHEALTHY',
      detail: 'connecting; account "a": Redis at localhost:6379 does not answer',
    });
    expect(healthOf(undefined, { access }).detail).toContain('does not answer');
    expect(healthOf(venue(), { access }).status).toBe('HEALTHY');
  });

  it('is good while another process does the work, unless this one was given up', () => {
    const access = { waitsFor: ['account "a": another process has its session'], isStandingBy: true };
    expect(healthOf(venue({ state: 'CONNECTING' }), { access })).toMatchObject({
      status: 'HEALTHY',
      detail: 'standing by; account "a": another process has its session',
    });
    expect(healthOf(venue({ state: 'FAILED' }), { access }).status).toBe('UNHEALTHY');
  });

  it('is good while it rests on purpose, and says until when', () => {
    const rest = { until: 1_764_000_000n * SECOND };
    expect(healthOf(venue({ state: 'DISCONNECTED', rest }))).toMatchObject({
      status: 'HEALTHY',
      detail: 'closed until 2025-11-24T16:00:00Z',
    });
    expect(healthOf(venue({ state: 'FAILED', rest })).status).toBe('UNHEALTHY');
  });

  it('is degraded when no message came for a minute, counted from the connection if that is younger', () => {
    const quiet = { lastFrameAt: NOW - 61n * SECOND };
    expect(healthOf(venue(quiet))).toMatchObject({
      status: 'DEGRADED',
      detail: 'connected, but no message for 61s',
    });
    expect(healthOf(venue({ ...quiet, since: NOW - SECOND })).status).toBe('HEALTHY');
    const never = { lastFrameAt: undefined, since: NOW - 60n * SECOND };
    expect(healthOf(venue(never)).status).toBe('DEGRADED');
  });

  it('is good while the market is closed, whatever the socket does, but for one that is given up', () => {
    const looked = { driver: { id: 'kis', isDataExpected: () => false } };
    const quiet = { lastFrameAt: NOW - 3_600n * SECOND };
    expect(healthOf(venue(quiet), looked)).toMatchObject({
      status: 'HEALTHY',
      detail: 'connected; the market is closed',
    });
    expect(healthOf(venue({ ...quiet, state: 'RECONNECTING' }), looked).status).toBe('HEALTHY');
    expect(healthOf(venue({ ...quiet, state: 'FAILED' }), looked).status).toBe('UNHEALTHY');
  });

  it('expects nothing of halted symbols, and names them', () => {
    const stream = (state: 'halted' | 'active') => ({ symbol: '005930', channel: 'tick' as const, state });
    const quiet = { lastFrameAt: NOW - 3_600n * SECOND, halted: ['005930'] };
    expect(healthOf(venue({ ...quiet, streams: [stream('halted')] }))).toMatchObject({
      status: 'HEALTHY',
      detail: expect.stringContaining('halted in 005930') as string,
    });
    expect(healthOf(venue({ ...quiet, streams: [stream('halted'), stream('active')] })).status).toBe('DEGRADED');
  });

  it('has a minute after the market opened before silence counts', () => {
    const openedAt = (at: bigint) => ({ driver: { id: 'kis', isDataExpected: (now: bigint) => now >= at } });
    const quiet = venue({ lastFrameAt: NOW - 3_600n * SECOND });
    expect(healthOf(quiet, openedAt(NOW - 59n * SECOND)).status).toBe('HEALTHY');
    expect(healthOf(quiet, openedAt(NOW - 60n * SECOND)).status).toBe('DEGRADED');
  });

  it('names codes that the venue does not list or sends nothing for, ten at most', () => {
    const silent = Array.from({ length: 12 }, (_, at) => `KRW-${at}`);
    const { status, detail } = healthOf(venue({ silent }), { unknown: ['KRW-NIX'] });
    expect(status).toBe('HEALTHY');
    expect(detail).toMatch(/not listed by the venue KRW-NIX; nothing came for KRW-0, .*KRW-9 and 2 more$/);
  });
});

describe('health of the log', () => {
  it('is degraded while it is waited for at the start', () => {
    expect(logHealth(undefined, 'connection refused')).toMatchObject({
      status: 'DEGRADED',
      detail: 'waiting for it: connection refused',
    });
  });

  it('is degraded while sends fail, with the reason', () => {
    expect(logHealth(status({ consecutiveErrors: 3 }), 'away')).toMatchObject({
      status: 'DEGRADED',
      detail: '3 failed sends in a row: away',
    });
    expect(logHealth(status({}), 'away')).toMatchObject({ status: 'HEALTHY', detail: 'publishing' });
  });
});

describe('health of the buffer', () => {
  it('is good while memory is enough', () => {
    expect(bufferHealth(undefined, NOW).status).toBe('HEALTHY');
    expect(bufferHealth(status({ waiting: 5 }), NOW)).toMatchObject({ status: 'HEALTHY', detail: '5 wait in memory' });
  });

  it('is degraded while trades go to the disk', () => {
    const spill = { active: true, written: 9, waiting: 7, bytes: 1 };
    expect(bufferHealth(status({ waiting: 5, spill }), NOW)).toMatchObject({
      status: 'DEGRADED',
      detail: '5 wait in memory, 7 on the disk; new trades go to the disk',
    });
  });

  it('is degraded for a minute after something was dropped', () => {
    expect(bufferHealth(status({ lastLossAt: NOW - 59n * SECOND }), NOW).status).toBe('DEGRADED');
    expect(bufferHealth(status({ lastLossAt: NOW - 60n * SECOND }), NOW).status).toBe('HEALTHY');
  });
});

function status(change: Partial<IngestionStatus['publisher']>): IngestionStatus {
  const publisher = { consecutiveErrors: 0, waiting: 0, spill: undefined, lastLossAt: undefined, ...change };
  return { publisher, venues: {} } as unknown as IngestionStatus;
}
