// A process of its own that does what the test asks of it by messages.
import { KisAccounts, KisAuth, type KeyLease } from '../../src/index.js';
import type { WorkerSettings } from './workers.js';

const settings = JSON.parse(process.argv[2] ?? '') as WorkerSettings;
const { signal } = new AbortController();
const auth = await KisAuth.open({
  ...settings,
  accounts: await KisAccounts.load({ environment: 'real', apiKey: settings.apiKey, apiSecret: settings.apiSecret }),
});
const [key] = auth.keys;
if (key === undefined) throw new Error('no key');
let lease: KeyLease | undefined;

const steps: Readonly<Record<string, () => Promise<unknown>>> = {
  token: () => key.credentials.token(signal),
  approvalKey: () => key.credentials.approvalKey(signal),
  claim: async () => {
    lease = await key.claimLease(signal);
    lease.lost.addEventListener('abort', () => process.send?.({ event: 'lost', error: lease?.lost.reason as unknown }));
    return 'claimed';
  },
  release: async () => {
    await lease?.release();
    return 'released';
  },
  status: () => Promise.resolve(key.credentials.statistics),
};

process.on('message', ({ step, id }: { step: string; id: number }) => {
  void steps[step]?.().then(
    (answer) => process.send?.({ id, answer }),
    (error: unknown) => process.send?.({ id, error }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.({ event: 'ready' });
