import { durationText } from '../../duration.js';
import { rule, type SettingsGroup } from '../schema.js';
import { boolean, choice, duration, path, secretText } from '../value-types.js';

/** What several apps are told of KIS, said once. Each takes what it needs into its group. */
export const sharedKis = {
  apiKey: {
    env: 'KIS_API_KEY',
    type: secretText(),
    secret: true,
    describe: 'App key of KIS Developers (apiportal.koreainvestment.com); KIS markets need it, or KIS_ACCOUNTS_FILE',
  },
  apiSecret: {
    env: 'KIS_API_SECRET',
    type: secretText(),
    secret: true,
    describe: 'App secret of that key',
  },
  accountsFile: {
    env: 'KIS_ACCOUNTS_FILE',
    type: path(),
    describe:
      'Instead of the two: a file of mode 600 with several keys, "name app-key app-secret" a line; each carries 41 ' +
      'registrations, 13 symbols with trades, books and halts',
  },
  useVirtualServer: {
    env: 'KIS_USE_VIRTUAL_SERVER',
    type: boolean(),
    default: 'false',
    describe:
      'Whether the keys are of simulated trading, whose servers are used where KIS_WEBSOCKET_URL and KIS_API_URL are not set',
  },
  tokenCacheTtl: {
    env: 'KIS_TOKEN_CACHE_TTL',
    type: duration({ min: '10m', max: '24h' }),
    default: '24h',
    describe: 'Longest use of a token or an approval key; KIS ends them after 24h',
  },
  tokenRefreshBefore: {
    env: 'KIS_TOKEN_REFRESH_BEFORE',
    type: duration({ min: '1m', max: '6h' }),
    default: '10m',
    describe: 'How long before its end a token is replaced',
  },
  tokenFile: {
    env: 'KIS_TOKEN_FILE',
    type: path(),
    describe: 'Without Redis: a file, made with mode 600, that keeps tokens and approval keys through restarts',
  },
  segment: {
    env: 'KIS_SEGMENT',
    type: choice('KRX', 'NXT', 'UN'),
    default: 'KRX',
    describe: 'Where stocks are followed: Korea Exchange, Nextrade, or both as one',
  },
  leaseTtl: {
    env: 'KIS_LEASE_TTL',
    type: duration({ min: '5s', max: '10m' }),
    default: '30s',
    describe:
      'How long a process that has died keeps others from its keys; one that stops gives them back at once. As long, after a ' +
      'start of Redis, nobody takes a key or asks KIS for a token',
  },
  calendarFile: {
    env: 'KIS_CALENDAR_FILE',
    type: path(),
    describe: 'A JSON file with the days that do not trade as usual: holidays, half days, late openings',
  },
  sessionsOnly: {
    env: 'KIS_SESSIONS_ONLY',
    type: boolean(),
    default: 'false',
    describe: 'Whether to be connected during the sessions only',
  },
} as const satisfies SettingsGroup;

/** What is replaced must have been used before. */
export const kisTokenRule = rule([sharedKis.tokenCacheTtl, sharedKis.tokenRefreshBefore], (ttl, before) =>
  ttl >= 2 * before
    ? []
    : [
        {
          setting: sharedKis.tokenCacheTtl,
          says: `${durationText(ttl)} is too short: expected at least twice KIS_TOKEN_REFRESH_BEFORE, which is ${durationText(before)}`,
        },
      ],
);

/** For an app that is asked for something of KIS. */
export const kisKeyRule = rule(
  [sharedKis.apiKey, sharedKis.apiSecret, sharedKis.accountsFile],
  (apiKey, apiSecret, accountsFile) => {
    if (accountsFile !== undefined) {
      const pair = apiKey !== undefined || apiSecret !== undefined;
      return pair
        ? [{ setting: sharedKis.accountsFile, says: 'is set beside KIS_API_KEY or KIS_API_SECRET: give one of them' }]
        : [];
    }
    const absent = [sharedKis.apiKey, sharedKis.apiSecret].filter(
      ({ env }) => (env === 'KIS_API_KEY' ? apiKey : apiSecret) === undefined,
    );
    const [first] = absent;
    if (first === undefined) return [];
    const names = absent.map(({ env }) => env).join(' and ');
    return [
      {
        setting: first,
        says:
          `KIS takes an app key: apply for one at KIS Developers (https://apiportal.koreainvestment.com) and set ${names} ` +
          'in the environment or in .env, or KIS_ACCOUNTS_FILE to a file with several keys',
      },
    ];
  },
);
