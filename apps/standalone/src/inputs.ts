import { resolve } from 'node:path';
import type { Venue } from '@aipx/venue';
import { venues } from '@aipx/venue-registry';
import { inspectFrames, type FramesInspection } from '@aipx/venue-simulator';
import { loadLiveSettings, whyLeftOut, type LiveSettings } from './live.js';
import { planMarkets, type VenuePlan } from './markets.js';
import type { Options } from './options.js';

/** What is fed in: which venues with which markets, and whether they are real, made up or recorded. */
export interface InputPlan {
  readonly plans: readonly VenuePlan[];
  readonly recording: Recording | undefined;
  /** Absent: no real venue. */
  readonly live: LiveSettings | undefined;
  /** What the user should know of it, in sentences. */
  readonly notes: readonly string[];
}

export interface Recording {
  readonly path: string;
  readonly inspection: FramesInspection;
}

/**
 * Settles what will be fed in, before anything is started.
 *
 * @throws {MarketDataError} `CONFIG_*`, naming the value that cannot be
 */
export async function planInput(options: Options, base: string, signal: AbortSignal): Promise<InputPlan> {
  const recording = options.frames === undefined ? undefined : await inspect(resolve(base, options.frames), signal);
  const notes: string[] = [];
  const plans = await planMarkets({
    venue: options.venue,
    markets: options.markets,
    otherwise: async (venue) => {
      const { id } = venue.driver;
      const recorded = recording?.inspection.venues.get(id);
      if (recording !== undefined && recorded === undefined) return []; // the file has nothing of this venue
      const obstacle = options.live && options.venue === undefined ? await whyLeftOut(venue, base) : undefined;
      if (obstacle !== undefined) {
        notes.push(`${id} is left out: ${obstacle}`);
        return [];
      }
      const symbols = recorded?.symbols ?? [];
      // Frames of which no code can be read are played too, and to be played to, one must subscribe to something.
      return symbols.length > 0 ? symbols : (await venue.loadSimulator()).defaultSymbols;
    },
  });
  const live = options.live ? await loadLiveSettings(plans, base) : undefined;
  for (const { warnings } of live?.values() ?? []) notes.push(...warnings);
  return { plans, recording, live, notes };
}

async function inspect(path: string, signal: AbortSignal): Promise<Recording> {
  const simulated = await Promise.all(Object.values<Venue>(venues).map((venue) => venue.loadSimulator()));
  return { path, inspection: await inspectFrames(path, { venues: simulated }, signal) };
}
