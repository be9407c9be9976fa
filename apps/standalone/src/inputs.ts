import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EventLog } from '@aipx/event-log';
import type { VenueInput } from '@aipx/ingestion';
import type { Venue } from '@aipx/venue';
import { venues } from '@aipx/venue-registry';
import { inspectFrames, startVenueSimulator, type FramesInspection, type VenueSimulator } from '@aipx/venue-simulator';
import type { DataFolder } from './data-folder.js';
import { planMarkets, type VenuePlan } from './markets.js';
import type { Options } from './options.js';

/** What is fed in: which venues with which markets, and whether they are real, made up or recorded. */
export interface InputPlan {
  readonly plans: readonly VenuePlan[];
  readonly recording: { readonly path: string; readonly inspection: FramesInspection } | undefined;
}

/** One venue of the run, ready to be connected to. */
export interface VenueSource {
  readonly plan: VenuePlan;
  readonly input: VenueInput;
  readonly apiUrl: string;
  /** Absent: the real venue. */
  readonly simulator: VenueSimulator | undefined;
}

/**
 * Settles what will be fed in, before anything is started.
 *
 * @throws {MarketDataError} `CONFIG_*`, naming the value that cannot be
 */
export async function planInput(options: Options, base: string, signal: AbortSignal): Promise<InputPlan> {
  const recording = options.frames === undefined ? undefined : await inspect(resolve(base, options.frames), signal);
  const plans = await planMarkets({
    venue: options.venue,
    markets: options.markets,
    otherwise: async (venue) => {
      const recorded = recording?.inspection.venues.get(venue.driver.id);
      if (recording !== undefined && recorded === undefined) return []; // the file has nothing of this venue
      const symbols = recorded?.symbols ?? [];
      // Frames of which no code can be read are played too, and to be played to, one must subscribe to something.
      return symbols.length > 0 ? symbols : (await venue.loadSimulator()).defaultSymbols;
    },
  });
  return { plans, recording };
}

async function inspect(path: string, signal: AbortSignal) {
  const simulated = await Promise.all(Object.values<Venue>(venues).map((venue) => venue.loadSimulator()));
  return { path, inspection: await inspectFrames(path, { venues: simulated }, signal) };
}

/** Makes each venue's source: starts its simulator unless the real venue is meant. */
export async function openSources(
  { plans, recording }: InputPlan,
  options: Options,
  folder: DataFolder,
  log: EventLog,
  signal: AbortSignal,
): Promise<readonly VenueSource[]> {
  const sources: VenueSource[] = [];
  for (const plan of plans) {
    const { driver } = plan.venue;
    const base = { driver, subscriptions: plan.subscriptions };
    if (options.live) {
      const { websocketUrl, apiUrl } = driver.defaults;
      sources.push({ plan, input: { ...base, websocketUrl }, apiUrl, simulator: undefined });
      continue;
    }
    const replay = recording === undefined ? undefined : await replayOf(plan, recording.inspection, log);
    mkdirSync(folder.journals, { recursive: true });
    const simulator = await startVenueSimulator({
      venue: await plan.venue.loadSimulator(),
      source:
        recording === undefined || replay === undefined
          ? {
              kind: 'market',
              seed: options.seed,
              rate: options.rate / plans.length,
              idMarkFile: join(folder.journals, `${driver.id}.id-mark`),
            }
          : {
              kind: 'frames',
              path: recording.path,
              speed: options.speed,
              from: replay.framesDone,
              symbols: listedSymbols(plan, recording.inspection),
            },
      journal: { path: join(folder.journals, `${driver.id}.jsonl`) },
      signal,
    });
    const { websocketUrl, apiUrl } = simulator;
    sources.push({ plan, input: { ...base, websocketUrl, ...(replay && { replay }) }, apiUrl, simulator });
  }
  return sources;
}

/** The codes of the file are those the venue lists; a file without any lists what is subscribed. */
function listedSymbols(plan: VenuePlan, inspection: FramesInspection): readonly string[] {
  const symbols = inspection.venues.get(plan.venue.driver.id)?.symbols ?? [];
  return symbols.length > 0 ? symbols : plan.symbols;
}

/** A recording is known by its content, the venue and the codes taken from it: that is what its position belongs to. */
async function replayOf(plan: VenuePlan, inspection: FramesInspection, log: EventLog) {
  const codes = createHash('sha256').update(plan.symbols.toSorted().join(',')).digest('hex');
  const source = `${inspection.contentHash} ${plan.venue.driver.id} ${codes}`;
  return { source, framesDone: await log.progressOf(source) };
}
