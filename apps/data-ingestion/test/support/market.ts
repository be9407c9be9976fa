import { startVenueSimulator, type VenueSimulator, type VenueSimulatorOptions } from '@aipx/venue-simulator';
import { venueById } from '@aipx/venue-registry';
import { onTestFinished } from 'vitest';

export const MARKETS = ['KRW-BTC', 'KRW-ETH', 'KRW-XRP'];

/** A simulated Upbit and the settings that lead there. */
export async function startMarket(change: Partial<VenueSimulatorOptions> = {}): Promise<{
  simulator: VenueSimulator;
  settings: Readonly<Record<string, string>>;
}> {
  const simulator = await startVenueSimulator({
    venue: await venueById('upbit').loadSimulator(),
    source: { kind: 'market', seed: 1, rate: 200, symbols: MARKETS },
    signal: new AbortController().signal,
    ...change,
  });
  onTestFinished(() => simulator.stop());
  return {
    simulator,
    settings: {
      MARKETS: MARKETS.map((symbol) => `upbit:${symbol}`).join(','),
      UPBIT_WEBSOCKET_URL: simulator.websocketUrl,
      UPBIT_API_URL: simulator.apiUrl,
    },
  };
}
