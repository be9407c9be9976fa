import { once } from 'node:events';
import { startVenueSimulator } from '@aipx/venue-simulator';
import { upbitSimulator } from '@aipx/venue-upbit/simulator';
import type { VenueTask } from './venue.ts';

// The simulated Upbit, in a process of its own: what it costs to make a market up is not the service's.

const SEED = 1;

const [{ rate, symbols }] = (await once(process, 'message')) as [VenueTask];
process.on('disconnect', () => process.exit());
const simulator = await startVenueSimulator({
  venue: upbitSimulator,
  source: { kind: 'market', seed: SEED, rate, symbols },
  signal: new AbortController().signal,
});
process.on('message', (question) => {
  void answer(question === 'finish');
});
process.send?.({ websocketUrl: simulator.websocketUrl, apiUrl: simulator.apiUrl });

async function answer(isEnd: boolean): Promise<void> {
  if (isEnd) await simulator.finish();
  process.send?.(simulator.sent);
}
