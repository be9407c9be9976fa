import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { EventLog } from '@aipx/event-log';
import { venueInputs, type VenueInput } from '@aipx/ingestion';
import type { MarketDataError } from '@aipx/market-model';
import type { OpenVenue, Subscription } from '@aipx/venue';
import { openSimulatedVenue } from '@aipx/venue-registry';
import {
  firstFrames,
  startVenueSimulator,
  type InspectedVenue,
  type VenueSimulator,
  type VenueSimulatorOptions,
} from '@aipx/venue-simulator';
import { wallClock } from '@aipx/websocket-client';
import type { DataFolder } from './data-folder.js';
import type { InputPlan, Recording } from './inputs.js';
import { openLiveVenue, type LiveSettings } from './live.js';
import type { VenuePlan } from './markets.js';
import type { Options } from './options.js';
import { recall } from './recall.js';

const NANOS_PER_MILLI = 1_000_000n;

/** One venue of the run, ready to be connected to. */
export interface VenueSource {
  readonly plan: VenuePlan;
  readonly open: OpenVenue;
  /** One a connection. */
  readonly inputs: readonly VenueInput[];
  /** Absent: the real venue. */
  readonly simulator: VenueSimulator | undefined;
}

/** All venues of the run. */
export interface Sources extends AsyncDisposable {
  readonly all: readonly VenueSource[];
  readonly simulators: readonly VenueSimulator[];
  /** Once the connections are closed: gives back keys, ends simulators. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SourcesContext {
  readonly folder: DataFolder;
  readonly log: EventLog;
  /** Told of every secret, so that no log shows it. */
  readonly keepSecret: (secret: string) => void;
  /** Something beside the connections failed and is being tried again. */
  readonly onFault: (error: MarketDataError) => void;
  readonly signal: AbortSignal;
}

/** What is being opened, and what ends it again. */
interface Opening extends SourcesContext {
  readonly options: Options;
  readonly opened: AsyncDisposableStack;
}

/** Makes each venue's source: starts its simulator unless the real venue is meant. Connects to nothing yet. */
export async function openSources(
  { plans, recording, live }: InputPlan,
  options: Options,
  context: SourcesContext,
): Promise<Sources> {
  await using opened = new AsyncDisposableStack();
  const opening = { ...context, options, opened };
  if (live === undefined) prepareJournals(context.folder);
  const all: VenueSource[] = [];
  for (const plan of plans) {
    if (live !== undefined) all.push(await openReal(plan, live, opening));
    else if (recording !== undefined) all.push(await openRecorded(plan, recording, opening));
    else all.push(await openMarket(plan, plans.length, opening));
  }
  const closing = opened.move();
  return {
    all,
    simulators: all.flatMap(({ simulator }) => simulator ?? []),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function openReal(plan: VenuePlan, live: LiveSettings, opening: Opening): Promise<VenueSource> {
  const { opened } = opening;
  const open = await openLiveVenue(plan, live, opening);
  opened.defer(() => open.close());
  return { plan, open, inputs: venueInputs(open, plan.subscriptions), simulator: undefined };
}

/** @param shares venues among which the rate is divided */
async function openMarket(plan: VenuePlan, shares: number, opening: Opening): Promise<VenueSource> {
  const { options, folder } = opening;
  const { id } = plan.venue.driver;
  const simulator = await startSimulator(plan, opening, {
    kind: 'market',
    seed: options.seed,
    rate: options.rate / shares,
    idMarkFile: join(folder.journals, `${id}.id-mark`),
    countersFile: join(folder.journals, `${id}.counters`),
  });
  const open = await openSimulated(plan, simulator, opening, plan.subscriptions);
  return { plan, open, inputs: venueInputs(open, plan.subscriptions), simulator };
}

/** A recording is what one connection received, and is played to one. */
async function openRecorded(plan: VenuePlan, recording: Recording, opening: Opening): Promise<VenueSource> {
  const { path, inspection } = recording;
  const recorded = inspection.venues.get(plan.venue.driver.id);
  const replay = await replayOf(plan, inspection.contentHash, recorded, opening.log);
  // The codes of the file are those the venue lists; a file without any lists what is subscribed.
  const listed = recorded?.symbols ?? [];
  const simulator = await startSimulator(plan, opening, {
    kind: 'frames',
    path,
    speed: opening.options.speed,
    from: replay.framesDone,
    symbols: listed.length > 0 ? listed : plan.symbols,
  });
  const open = await openSimulated(plan, simulator, opening, []);
  const { driver, websocketUrl, accesses: [access] = [] } = open;
  const { subscriptions } = plan;
  const memory = await recall(driver, subscriptions, {
    frames: firstFrames(path, await plan.venue.loadSimulator(), replay.framesDone, opening.signal),
    receivedAt: (frame) => replay.recordedAt(frame) ?? wallClock(),
  });
  const input = { driver, websocketUrl, subscriptions, replay, ...(access && { access }), ...(memory && { memory }) };
  return { plan, open, inputs: [input], simulator };
}

async function startSimulator(
  { venue }: VenuePlan,
  { folder, signal, opened }: Opening,
  source: VenueSimulatorOptions['source'],
): Promise<VenueSimulator> {
  const journal = { path: join(folder.journals, `${venue.driver.id}.jsonl`) };
  const simulator = await startVenueSimulator({ venue: await venue.loadSimulator(), source, journal, signal });
  opened.defer(() => simulator.stop());
  return simulator;
}

async function openSimulated(
  { venue }: VenuePlan,
  { websocketUrl, apiUrl }: VenueSimulator,
  { folder, opened }: Opening,
  subscriptions: readonly Subscription[],
): Promise<OpenVenue> {
  const context = { websocketUrl, apiUrl, machineFolder: machineFolder(folder) };
  const open = await openSimulatedVenue(venue.driver.id, context, subscriptions);
  opened.defer(() => open.close());
  return open;
}

/** A recording is known by its content, the venue and the codes taken from it: that is what its position belongs to. */
async function replayOf(plan: VenuePlan, contentHash: string, recorded: InspectedVenue | undefined, log: EventLog) {
  const codes = createHash('sha256').update(plan.symbols.toSorted().join(',')).digest('hex');
  const source = `${contentHash} ${plan.venue.driver.id} ${codes}`;
  const recordedAt = (frame: number) => {
    const at = recorded?.recordedAtMs(frame);
    return at === undefined ? undefined : BigInt(at) * NANOS_PER_MILLI;
  };
  return { source, framesDone: await log.progressOf(source), recordedAt };
}

/** What processes of a machine tell each other of keys; those of an earlier run were made up like these. */
function machineFolder(folder: DataFolder): string {
  return join(folder.journals, 'machine');
}

function prepareJournals(folder: DataFolder): void {
  mkdirSync(folder.journals, { recursive: true });
  rmSync(machineFolder(folder), { recursive: true, force: true });
}
