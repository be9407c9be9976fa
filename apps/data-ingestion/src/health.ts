import { toIsoText } from '@aipx/market-model';
import type { ConnectionStatus, IngestionStatus, VenueIngestionStatus } from '@aipx/ingestion';
import type { HealthComponent, HealthStatus } from '@aipx/service';
import type { OpenVenueStatus, VenueDriver } from '@aipx/venue';

/** Longest time, ms, without a message of a venue whose market is open. */
const QUIET_MS = 60_000;
/** An answer to a send that takes longer, ms, is none of a broker that is well. */
const LATE_ANSWER_MS = 5_000;
const NANOS_PER_MILLI = 1_000_000n;
const MOST_NAMED = 10;
const WORST_FIRST: readonly HealthStatus[] = ['UNHEALTHY', 'DEGRADED', 'HEALTHY'];

export interface LookedAt {
  readonly driver: Pick<VenueDriver, 'id' | 'isDataExpected' | 'isSteady'>;
  /** Absent before the start. */
  readonly status: VenueIngestionStatus | undefined;
  /** What it takes to be let in. Absent before the venue is opened. */
  readonly access?: OpenVenueStatus | undefined;
  /** Codes that the venue does not list. */
  readonly unknown: readonly string[];
}

/**
 * How a venue stands, as `/health` says it. A closed market is no fault, nor is a socket that is lost meanwhile; one that cannot be
 * opened is: nobody knows whether it could be when the market opens.
 */
export function venueHealth({ driver, status, access, unknown }: LookedAt, now: bigint): HealthComponent {
  const name = driver.id;
  const { waitsFor: waits = [], faults = [], risks = [] } = access ?? {};
  if (status === undefined) {
    return { name, status: 'UNHEALTHY', detail: ['not started, the log comes first', ...waits].join('; ') };
  }
  const remarks = [
    ...faults,
    ...risks,
    ...waits,
    named('not listed by the venue', unknown),
    named('nothing came for', status.silent),
    named('refused by the venue', status.refused),
    named('not answered for by the venue', status.unanswered),
    named('silent among others', status.stale),
    named('trading is halted in', status.halted),
  ].filter((remark) => remark !== '');
  const { state, detail } = connectionsHealth(status, driver, now);
  const worst = state === 'HEALTHY' && faults.length > 0 ? 'DEGRADED' : state;
  return { name, status: worst, detail: [detail, ...remarks].join('; ') };
}

/** How the way to the log stands. */
export function logHealth(status: IngestionStatus | undefined, lastError: string): HealthComponent {
  const name = 'kafka';
  if (status === undefined) return { name, status: 'DEGRADED', detail: `waiting for it: ${lastError || 'connecting'}` };
  const { consecutiveErrors, unansweredMs } = status.publisher;
  if (consecutiveErrors > 0) {
    return { name, status: 'DEGRADED', detail: `${consecutiveErrors} failed sends in a row: ${lastError}` };
  }
  if (unansweredMs < LATE_ANSWER_MS) return { name, status: 'HEALTHY', detail: 'publishing' };
  const seconds = Math.round(unansweredMs / 1_000);
  return { name, status: 'DEGRADED', detail: `a send has had no answer for ${seconds} s` };
}

/** What waits, and whether anything had to be let go of late. */
export function bufferHealth(status: IngestionStatus | undefined, now: bigint): HealthComponent {
  const name = 'buffer';
  if (status === undefined) return { name, status: 'HEALTHY', detail: 'empty' };
  const { waiting, spill, lastLossAt } = status.publisher;
  const onDisk = spill === undefined || spill.waiting === 0 ? '' : `, ${spill.waiting} on the disk`;
  const detail = `${waiting} wait in memory${onDisk}`;
  if (lastLossAt !== undefined && Number((now - lastLossAt) / NANOS_PER_MILLI) < QUIET_MS) {
    return { name, status: 'DEGRADED', detail: `${detail}; records were dropped within the last minute` };
  }
  if (spill?.active) return { name, status: 'DEGRADED', detail: `${detail}; new trades go to the disk` };
  return { name, status: 'HEALTHY', detail };
}

interface Judgement {
  readonly state: HealthStatus;
  readonly detail: string;
}

/** The worst of the connections, which are named by their symbols where there are others. */
function connectionsHealth({ connections }: VenueIngestionStatus, driver: LookedAt['driver'], now: bigint): Judgement {
  // Another process does the work of those, and this one takes over when it ends.
  const own = connections.filter(({ isStandingBy }) => !isStandingBy);
  if (own.length === 0) return { state: 'HEALTHY', detail: 'standing by' };
  const judged = own.map((connection) => ({ connection, ...connectionHealth(connection, driver, now) }));
  const state = WORST_FIRST.find((each) => judged.some((judgement) => judgement.state === each)) ?? 'HEALTHY';
  const worst = judged.filter((judgement) => judgement.state === state);
  const isNamed = state !== 'HEALTHY' && connections.length > 1;
  const details = worst.map(({ detail, connection }) =>
    isNamed ? named(`${detail}:`, symbolsOf(connection)) : detail,
  );
  return { state, detail: [...new Set(details)].join('; ') };
}

function symbolsOf({ streams }: ConnectionStatus): readonly string[] {
  return [...new Set(streams.map(({ symbol }) => symbol))];
}

function connectionHealth(
  { state, lastFrameAt, since, lastError, rest, streams }: ConnectionStatus,
  { isDataExpected = () => true, isSteady = (_, at) => isDataExpected(at) }: LookedAt['driver'],
  now: bigint,
): Judgement {
  const name = state.toLowerCase();
  const isOpen = isDataExpected(now);
  if (rest !== undefined && state !== 'FAILED') {
    const { until } = rest;
    return { state: 'HEALTHY', detail: until === undefined ? 'closed' : `closed until ${toIsoText(until)}` };
  }
  if (state !== 'CONNECTED') {
    const detail = lastError === undefined ? name : `${name}: ${lastError.message}`;
    if (isOpen || state === 'FAILED') return { state: 'UNHEALTHY', detail };
    const isUnreachable = lastError?.code === 'CONNECTION_FAILED';
    return { state: isUnreachable ? 'DEGRADED' : 'HEALTHY', detail: `${detail}; the market is closed` };
  }
  if (!isOpen) return { state: 'HEALTHY', detail: `${name}; the market is closed` };
  // It has only just opened, or only just come out of an auction.
  const lately = [now, now - BigInt(QUIET_MS) * NANOS_PER_MILLI];
  const mayBeQuiet = lately.some((at) => !streams.some(({ channel }) => isSteady(channel, at)));
  if (mayBeQuiet) return { state: 'HEALTHY', detail: name };
  const quietSince = lastFrameAt === undefined || lastFrameAt < since ? since : lastFrameAt;
  const quietMs = Number((now - quietSince) / NANOS_PER_MILLI);
  const isHalted = streams.length > 0 && streams.every((stream) => stream.state === 'halted');
  if (quietMs < QUIET_MS || isHalted) return { state: 'HEALTHY', detail: name };
  return { state: 'DEGRADED', detail: `${name}, but no message for ${Math.round(quietMs / 1_000)}s` };
}

function named(what: string, symbols: readonly string[]): string {
  if (symbols.length === 0) return '';
  const more = symbols.length > MOST_NAMED ? ` and ${symbols.length - MOST_NAMED} more` : '';
  return `${what} ${symbols.slice(0, MOST_NAMED).join(', ')}${more}`;
}
