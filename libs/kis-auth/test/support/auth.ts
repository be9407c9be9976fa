import { onTestFinished } from 'vitest';
import { KisAuth, type KisAuthOptions, type KisKey } from '../../src/index.js';
import { testFolder } from './folders.js';
import { MORNING, oneAccount, SECRETS } from './keys.js';
import { ManualClock } from './manual-clock.js';
import { OAuthServer } from './oauth-server.js';

export interface Scene {
  readonly clock: ManualClock;
  readonly server: OAuthServer;
  readonly folder: string;
  /** Another process' view: its own memory, the same files. */
  open(options?: Partial<KisAuthOptions>): Promise<KisKey & { readonly auth: KisAuth }>;
}

/** A clock by hand, a KIS that goes by it, and a folder for the files of one machine. */
export async function openScene(): Promise<Scene> {
  const clock = new ManualClock(MORNING);
  const server = await OAuthServer.start(SECRETS, () => clock.now());
  const folder = await testFolder();
  return {
    clock,
    server,
    folder,
    open: async (options = {}) => {
      const auth = await KisAuth.open({
        accounts: await oneAccount(),
        machineFolder: folder,
        url: server.url,
        clock,
        ...options,
      });
      onTestFinished(() => auth.close());
      const [key] = auth.keys;
      if (key === undefined) throw new Error('no key');
      const { account, takes, credentials, connectAttempts, holidays } = key;
      return {
        account,
        takes,
        credentials,
        connectAttempts,
        holidays,
        claimLease: (signal) => key.claimLease(signal),
        get isStoreAway() {
          return key.isStoreAway;
        },
        get statistics() {
          return key.statistics;
        },
        auth,
      };
    },
  };
}
