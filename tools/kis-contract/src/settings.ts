import { KIS_REST_HOSTS, KisAccounts, type KisEnvironment, type RedisSettings } from '@aipx/kis-auth';
import { defineSettings, duration, loadSettings, redisAddress, sharedKis, sharedRedis, url } from '@aipx/service';
import { kisDriver } from '@aipx/venue-kis';

const SCHEMA = defineSettings({
  app: 'kis:contract',
  tree: {
    kisApiKey: sharedKis.apiKey,
    kisApiSecret: sharedKis.apiSecret,
    kisAccountsFile: sharedKis.accountsFile,
    // Virtual first: a contract run on the real servers is asked for.
    kisUseVirtualServer: { ...sharedKis.useVirtualServer, default: 'true' },
    kisTokenFile: sharedKis.tokenFile,
    kisWebsocketUrl: {
      env: 'KIS_WEBSOCKET_URL',
      type: url('ws', 'wss'),
      describe: 'Real-time server, instead of that of KIS',
    },
    kisApiUrl: {
      env: 'KIS_API_URL',
      type: url('http', 'https'),
      describe: 'REST server, instead of that of KIS',
    },
    kisSilenceTimeout: {
      env: 'KIS_SILENCE_TIMEOUT',
      aliases: ['KIS_HEARTBEAT_INTERVAL'],
      type: duration({ min: '1s', max: '10m' }),
      default: '30s',
      describe: 'After so long without a message the services take a connection for dead',
    },
    redisHost: sharedRedis.host,
    redisPort: sharedRedis.port,
    redisPassword: sharedRedis.password,
  },
});

const WEBSOCKET_URLS: Readonly<Record<KisEnvironment, string>> = {
  real: kisDriver().defaults.websocketUrl,
  virtual: 'ws://ops.koreainvestment.com:31000/tryitout',
};

export interface Settings {
  readonly environment: KisEnvironment;
  readonly apiUrl: string;
  readonly websocketUrl: string;
  readonly silenceTimeoutMs: number;
  readonly redis: RedisSettings | undefined;
  readonly tokenFile: string | undefined;
  /** `undefined`: no key is set. @throws {MarketDataError} `CONFIG_ACCOUNT` for keys that cannot be right */
  readonly loadAccounts: (() => Promise<KisAccounts>) | undefined;
  /** Every secret that was set. */
  readonly secrets: readonly string[];
}

/**
 * From the environment and `.env`.
 *
 * @param host instead of `KIS_USE_VIRTUAL_SERVER`
 * @throws {MarketDataError} `CONFIG_INVALID`
 */
export async function readSettings(host: KisEnvironment | undefined): Promise<Settings> {
  const flags = new Map(host === undefined ? [] : [['KIS_USE_VIRTUAL_SERVER', String(host === 'virtual')]]);
  const { values, secrets } = await loadSettings(SCHEMA, { flags });
  const environment: KisEnvironment = values.kisUseVirtualServer ? 'virtual' : 'real';
  const { kisApiKey: apiKey, kisApiSecret: apiSecret, kisAccountsFile: accountsFile } = values;
  const isSet = [apiKey, apiSecret, accountsFile].some((value) => value !== undefined);
  return {
    environment,
    apiUrl: values.kisApiUrl ?? KIS_REST_HOSTS[environment],
    websocketUrl: values.kisWebsocketUrl ?? WEBSOCKET_URLS[environment],
    silenceTimeoutMs: values.kisSilenceTimeout,
    redis: redisAddress({ host: values.redisHost, port: values.redisPort, password: values.redisPassword }),
    tokenFile: values.kisTokenFile,
    loadAccounts: isSet ? () => KisAccounts.load({ environment, apiKey, apiSecret, accountsFile }) : undefined,
    secrets,
  };
}
