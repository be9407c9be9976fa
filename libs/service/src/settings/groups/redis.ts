import { rule, type SettingsGroup, type SettingsOf } from '../schema.js';
import { integer, secretText, text } from '../value-types.js';

/** What several apps are told of Redis, said once. */
export const sharedRedis = {
  host: {
    env: 'REDIS_HOST',
    type: text('a host name or an IP address', /^[\w.:-]+$/),
    describe: 'Redis through which processes share keys, tokens and leases; without it they are kept in this machine',
  },
  port: {
    env: 'REDIS_PORT',
    type: integer({ min: 1, max: 65_535 }),
    default: '6379',
    describe: 'Its port',
  },
  password: {
    env: 'REDIS_PASSWORD',
    type: secretText(),
    secret: true,
    describe: 'Its password, if it wants one',
  },
} as const satisfies SettingsGroup;

/** A password alone is a host that was forgotten. */
export const redisRule = rule([sharedRedis.host, sharedRedis.password], (host, password) =>
  host === undefined && password !== undefined
    ? [{ setting: sharedRedis.password, says: 'nothing would use it: REDIS_HOST is not set' }]
    : [],
);

/** Where a Redis is. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly password: string | undefined;
}

/** `undefined`: there is none. */
export function redisAddress(
  values: SettingsOf<{ readonly redis: typeof sharedRedis }>['redis'],
): RedisAddress | undefined {
  const { host, port, password } = values;
  return host === undefined ? undefined : { host, port, password };
}
