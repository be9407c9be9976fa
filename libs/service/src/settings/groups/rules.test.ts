import { describe, expect, it } from 'vitest';
import { loadSettings } from '../load.js';
import { defineSettings } from '../schema.js';
import { kisKeyRule, kisTokenRule, sharedKis } from './kis.js';
import { redisAddress, redisRule, sharedRedis } from './redis.js';
import { sharedTimescaledb, timescaledbSslRule } from './timescaledb.js';

const SCHEMA = defineSettings({
  app: 'test',
  tree: { kis: sharedKis, redis: sharedRedis, timescaledb: sharedTimescaledb },
  rules: [kisKeyRule, kisTokenRule, redisRule, timescaledbSslRule],
});
const KEY = { KIS_API_KEY: 'an-app-key', KIS_API_SECRET: 'an-app-secret' };

const load = (environment: Readonly<Record<string, string>>) =>
  loadSettings(SCHEMA, { environment, folder: import.meta.dirname });

describe('settings that several apps share', () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ['a key', KEY],
    ['a file with several keys', { KIS_ACCOUNTS_FILE: 'accounts' }],
    [
      'tokens used twice as long as they are replaced before',
      { ...KEY, KIS_TOKEN_CACHE_TTL: '2h', KIS_TOKEN_REFRESH_BEFORE: '1h' },
    ],
    ['a Redis with a password', { ...KEY, REDIS_HOST: 'redis', REDIS_PASSWORD: 'a-password' }],
    ['authorities that are checked', { ...KEY, TIMESCALEDB_SSL: 'verify', TIMESCALEDB_SSL_CA: 'ca.pem' }],
  ])('may be %s', async (_, environment) => {
    await expect(load(environment)).resolves.toBeDefined();
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['no key', {}, 'and set KIS_API_KEY and KIS_API_SECRET'],
    ['a key without its secret', { KIS_API_KEY: KEY.KIS_API_KEY }, 'and set KIS_API_SECRET in the environment'],
    ['a secret without its key', { KIS_API_SECRET: KEY.KIS_API_SECRET }, 'and set KIS_API_KEY in the environment'],
    ['a file beside a key', { ...KEY, KIS_ACCOUNTS_FILE: 'accounts' }, 'is set beside KIS_API_KEY or KIS_API_SECRET'],
    ['a file beside half a key', { KIS_API_KEY: KEY.KIS_API_KEY, KIS_ACCOUNTS_FILE: 'accounts' }, 'is set beside'],
    [
      'tokens that are replaced before they were used',
      { ...KEY, KIS_TOKEN_CACHE_TTL: '2h', KIS_TOKEN_REFRESH_BEFORE: '61m' },
      '2h is too short: expected at least twice KIS_TOKEN_REFRESH_BEFORE, which is 61m',
    ],
    ['a password of no Redis', { ...KEY, REDIS_PASSWORD: 'a-password' }, 'nothing would use it: REDIS_HOST is not set'],
    [
      'authorities that nothing checks',
      { ...KEY, TIMESCALEDB_SSL: 'require', TIMESCALEDB_SSL_CA: 'ca.pem' },
      'nothing would check it: TIMESCALEDB_SSL is require, not verify',
    ],
  ])('may not be %s', async (_, environment, says) => {
    await expect(load(environment)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(says) as string,
    });
  });

  it('tell no secret where they are refused', async () => {
    const refused = load({ REDIS_PASSWORD: 'a-password', KIS_API_SECRET: 'an-app-secret' });
    await expect(refused).rejects.not.toThrow(/a-password|an-app-secret/);
  });

  it('name a Redis, or none', async () => {
    const redis = async (environment: Readonly<Record<string, string>>) =>
      redisAddress((await load({ ...KEY, ...environment })).values.redis);
    expect(await redis({})).toBeUndefined();
    expect(await redis({ REDIS_HOST: 'redis', REDIS_PASSWORD: 'a-password' })).toEqual({
      host: 'redis',
      port: 6379,
      password: 'a-password',
    });
  });
});
