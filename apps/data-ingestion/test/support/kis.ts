import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SimulatedVenue } from '@aipx/venue/simulation';
import { venueById } from '@aipx/venue-registry';
import { startVenueSimulator, type VenueSimulator, type VenueSimulatorOptions } from '@aipx/venue-simulator';
import { onTestFinished } from 'vitest';

const CODES = (await venueById('kis').loadSimulator()).symbols;
/** More than one key carries, with all that is registered for each. */
export const MANY = CODES.slice(0, 20);
/** A market that has ended stays in the log, and its volumes would be taken for those of another one: each has its own codes. */
const FEW = CODES.slice(20).values();

/** What KIS saw of its customers. */
export interface Witness {
  /** Sessions that were refused with "ALREADY IN USE appkey". */
  inUse: number;
  /** Approval keys that were asked for. */
  approvalKeys: number;
}

/** A simulated KIS, the settings that lead there, and what it saw. */
export async function startKis(change: Partial<VenueSimulatorOptions> = {}): Promise<{
  simulator: VenueSimulator;
  settings: Readonly<Record<string, string>>;
  witness: Witness;
}> {
  const codes = [FEW.next().value, FEW.next().value, FEW.next().value];
  const witness: Witness = { inUse: 0, approvalKeys: 0 };
  const simulator = await startVenueSimulator({
    venue: watched(await venueById('kis').loadSimulator(), witness),
    source: { kind: 'market', seed: 1, rate: 600 },
    signal: new AbortController().signal,
    ...change,
  });
  const folder = testFolder();
  onTestFinished(() => simulator.stop());
  return {
    simulator,
    witness,
    settings: {
      MARKETS: codes.map((symbol) => `kis:${symbol}`).join(','),
      KIS_WEBSOCKET_URL: simulator.websocketUrl,
      KIS_API_URL: simulator.apiUrl,
      KIS_API_KEY: 'PSmadeUpAppKeyOfThirtySixCharacters0',
      KIS_API_SECRET: 'made-up-secret/'.repeat(12),
      KIS_LEASE_TTL: '5s',
      // Where processes of one machine find each other.
      TMPDIR: folder,
    },
  };
}

export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'aipx-kis-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function watched(venue: SimulatedVenue, witness: Witness): SimulatedVenue {
  return {
    ...venue,
    accept: (client, listed) => {
      const control = (text: string) => {
        if (text.includes('OPSP8996')) witness.inUse += 1;
        client.control(text);
      };
      const close = (code: number) => client.close(code);
      const later = (delayMs: number, action: () => void) => client.later(delayMs, action);
      return venue.accept({ control, close, later }, listed);
    },
    rest: (request) => {
      if (request.path === '/oauth2/Approval') witness.approvalKeys += 1;
      return venue.rest(request);
    },
  };
}
