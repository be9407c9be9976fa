import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SimulatedVenue } from '@aipx/venue/simulation';
import { createKisSimulator, type KisSimulator, type KisSimulatorSettings } from '@aipx/venue-kis/simulator';
import { startVenueSimulator, type VenueSimulator, type VenueSimulatorOptions } from '@aipx/venue-simulator';
import { onTestFinished } from 'vitest';
import { Watch } from './watch.js';

/** What KIS saw of its one customer. */
export interface Seen {
  /** Connections that were made, and those of them that have ended. */
  opened: number;
  ended: number;
  /** Registrations that were granted, by connection. */
  readonly registrations: number[];
  /** Answers that refuse, such as OPSP0011. */
  readonly refusals: string[];
}

export interface RunningVenue {
  readonly kis: KisSimulator;
  readonly host: VenueSimulator;
  readonly seen: Seen;
  /** Looks again with everything that KIS sees. */
  readonly watch: Watch;
  readonly journal: string;
}

export type Source = Extract<VenueSimulatorOptions['source'], { kind: 'market' }>;

export async function startVenue(settings: KisSimulatorSettings, source: Source): Promise<RunningVenue> {
  const journal = join(await testFolder(), 'sent.jsonl');
  const kis = createKisSimulator(settings);
  const seen: Seen = { opened: 0, ended: 0, registrations: [], refusals: [] };
  const watch = new Watch();
  const host = await startVenueSimulator({
    venue: watched(kis, seen, watch),
    source,
    journal: { path: journal, frames: true },
    onConnection: ({ event }) => {
      if (event === 'opened') seen.opened += 1;
      if (event === 'ended') seen.ended += 1;
      watch.changed();
    },
    signal: new AbortController().signal,
  });
  onTestFinished(() => host.stop());
  return { kis, host, seen, watch, journal };
}

export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-kis-day-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function watched(kis: KisSimulator, seen: Seen, watch: Watch): SimulatedVenue {
  return {
    ...kis,
    accept: (client, listed) => {
      const connection = seen.registrations.push(0) - 1;
      const control = (text: string) => {
        const [code] = /OPSP\d{4}/.exec(text) ?? [];
        if (code === 'OPSP0000') seen.registrations[connection] = (seen.registrations[connection] ?? 0) + 1;
        else if (code !== undefined) seen.refusals.push(code);
        client.control(text);
        watch.changed();
      };
      const close = (code: number) => client.close(code);
      const later = (delayMs: number, action: () => void) => client.later(delayMs, action);
      return kis.accept({ control, close, later }, listed);
    },
  };
}
