import type { ConnectionStatus, IngestionStatus, VenueIngestionStatus } from '@aipx/ingestion';
import { MarketDataError, type Channel } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { bufferHealth, logHealth, venueHealth, type LookedAt } from './health.js';

const SECOND = 1_000_000_000n;
const NOW = 1_000n * SECOND;

type Told = Pick<VenueIngestionStatus, 'silent' | 'stale' | 'refused' | 'unanswered' | 'halted'>;

function connected(change: Partial<ConnectionStatus> = {}): ConnectionStatus {
  return {
    state: 'CONNECTED',
    since: NOW - 500n * SECOND,
    lastFrameAt: NOW - SECOND,
    lastError: undefined,
    rest: undefined,
    isStandingBy: false,
    streams: [{ symbol: 'KRW-BTC', channel: 'tick', state: 'active' }],
    ...change,
  };
}

/** With one connection. */
function venue({
  silent = [],
  stale = [],
  refused = [],
  unanswered = [],
  halted = [],
  ...change
}: Partial<Told & ConnectionStatus> = {}) {
  return { ...venueOf(connected(change)), silent, stale, refused, unanswered, halted };
}

function venueOf(first: ConnectionStatus, ...others: readonly ConnectionStatus[]): VenueIngestionStatus {
  return {
    ...first,
    connections: [first, ...others],
    reconnects: 0,
    counts: { frames: 0, received: 0, tick: 0, orderbook: 0, ignored: 0, repeated: 0, rejected: 0, notices: 0 },
    silent: [],
    stale: [],
    refused: [],
    unanswered: [],
    halted: [],
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
    const access = { waitsFor: ['account "a": Redis at localhost:6379 does not answer'] };
    expect(healthOf(venue({ state: 'CONNECTING' }), { access })).toMatchObject({
      status: 'UNHEALTHY',
      detail: 'connecting; account "a": Redis at localhost:6379 does not answer',
    });
    expect(healthOf(undefined, { access }).detail).toContain('does not answer');
    expect(healthOf(venue(), { access }).status).toBe('HEALTHY');
  });

  it('is good while another process does the work', () => {
    const access = { waitsFor: ['account "a": another process has its session'] };
    expect(healthOf(venue({ state: 'CONNECTING', isStandingBy: true }), { access })).toMatchObject({
      status: 'HEALTHY',
      detail: 'standing by; account "a": another process has its session',
    });
  });

  it('is degraded behind a process that does not record what this one is to', () => {
    const access = {
      waitsFor: ['account "a": another process has its session'],
      faults: ['nobody records KRX 000660'],
    };
    expect(healthOf(venue({ state: 'CONNECTING', isStandingBy: true }), { access })).toMatchObject({
      status: 'DEGRADED',
      detail: 'standing by; nobody records KRX 000660; account "a": another process has its session',
    });
  });

  it('is that of the worst connection which does not stand by, and names its symbols', () => {
    const streamsOf = (...symbols: readonly string[]) =>
      symbols.map((symbol) => ({ symbol, channel: 'tick' as const, state: 'active' as const }));
    const standing = connected({ state: 'CONNECTING', isStandingBy: true });
    const well = connected({ streams: streamsOf('005930') });
    const lost = connected({
      state: 'RECONNECTING',
      lastError: new MarketDataError('CONNECTION_LOST', 'closed with 1006'),
      streams: streamsOf('000660', '035720'),
    });
    const quiet = connected({ lastFrameAt: NOW - 61n * SECOND, streams: streamsOf('068270') });
    expect(healthOf(venueOf(standing, well))).toMatchObject({ status: 'HEALTHY', detail: 'connected' });
    expect(healthOf(venueOf(standing, lost))).toMatchObject({
      status: 'UNHEALTHY',
      detail: 'reconnecting: closed with 1006: 000660, 035720',
    });
    expect(healthOf(venueOf(well, quiet))).toMatchObject({
      status: 'DEGRADED',
      detail: 'connected, but no message for 61s: 068270',
    });
    expect(healthOf(venueOf(quiet, well, lost)).detail).toMatch(/^reconnecting/);
    expect(healthOf(venueOf(standing, connected({ state: 'FAILED' }))).status).toBe('UNHEALTHY');
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
    const lastError = new MarketDataError('CONNECTION_LOST', 'closed with 1006');
    expect(healthOf(venue({ ...quiet, state: 'RECONNECTING', lastError }), looked).status).toBe('HEALTHY');
    expect(healthOf(venue({ ...quiet, state: 'FAILED' }), looked).status).toBe('UNHEALTHY');
  });

  it('is degraded while the market is closed and there is no way to a connection, and says why', () => {
    const looked = { driver: { id: 'kis', isDataExpected: () => false } };
    const lastError = new MarketDataError('CONNECTION_FAILED', 'cannot connect to ws://dead: nothing listens at dead');
    expect(healthOf(venue({ state: 'RECONNECTING', lastError }), looked)).toMatchObject({
      status: 'DEGRADED',
      detail: 'reconnecting: cannot connect to ws://dead: nothing listens at dead; the market is closed',
    });
    const access = {
      waitsFor: ['account "a": KIS is asked again at 09:00'],
      faults: ['account "a" has no approval key: 127.0.0.1:9443 could not be reached'],
    };
    expect(healthOf(venue({ state: 'CONNECTING' }), { ...looked, access })).toMatchObject({
      status: 'DEGRADED',
      detail: `connecting; the market is closed; ${access.faults[0]}; ${access.waitsFor[0]}`,
    });
  });

  it('names what no longer guards the data that comes, which is good', () => {
    const access = { waitsFor: [], risks: ['Redis at localhost:6379 does not answer: the sessions go on'] };
    expect(healthOf(venue(), { access })).toMatchObject({
      status: 'HEALTHY',
      detail: 'connected; Redis at localhost:6379 does not answer: the sessions go on',
    });
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

  it('names streams that the venue refuses', () => {
    const refused = ['005930 (orderbook)'];
    expect(healthOf(venue({ refused })).detail).toBe('connected; refused by the venue 005930 (orderbook)');
    const unanswered = ['005930 (tick)'];
    expect(healthOf(venue({ unanswered })).detail).toBe('connected; not answered for by the venue 005930 (tick)');
  });

  it('expects no trades in an auction, nor within a minute after it, but books', () => {
    const auctionUntil = (end: bigint) => ({
      driver: { id: 'kis', isSteady: (channel: Channel, at: bigint) => channel === 'orderbook' || at >= end },
    });
    const quiet = (...channels: readonly Channel[]) =>
      venue({
        lastFrameAt: NOW - 3_600n * SECOND,
        streams: channels.map((channel) => ({ symbol: '005930', channel, state: 'active' as const })),
      });
    expect(healthOf(quiet('tick'), auctionUntil(NOW + SECOND)).status).toBe('HEALTHY');
    expect(healthOf(quiet('tick'), auctionUntil(NOW - 59n * SECOND)).status).toBe('HEALTHY');
    expect(healthOf(quiet('tick'), auctionUntil(NOW - 60n * SECOND)).status).toBe('DEGRADED');
    expect(healthOf(quiet('tick', 'orderbook'), auctionUntil(NOW + SECOND)).status).toBe('DEGRADED');
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

describe('health of a log that hangs', () => {
  it('is degraded from the fifth second on, before any send has failed', () => {
    expect(logHealth(status({ unansweredMs: 4_999 }), '')).toMatchObject({ status: 'HEALTHY', detail: 'publishing' });
    const detail = 'a send has had no answer for 12 s';
    expect(logHealth(status({ unansweredMs: 12_100 }), '')).toMatchObject({ status: 'DEGRADED', detail });
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
  const publisher = {
    consecutiveErrors: 0,
    unansweredMs: 0,
    waiting: 0,
    spill: undefined,
    lastLossAt: undefined,
    ...change,
  };
  return { publisher, venues: {} } as unknown as IngestionStatus;
}
