import { expect, it } from 'vitest';
import { aipx } from './support/aipx.js';

it('says which setting is missing, and where it belongs', async () => {
  const { code, errors } = await aipx(['query', 'ticks', '--symbol', 'KRW-BTC', '--source', 'database']);
  expect(code).toBe(2);
  expect(errors).toBe(
    'CONFIG_INVALID: TIMESCALEDB_PASSWORD (not set): expected the password of aipx on localhost:5433, in the environment or in .env\n',
  );
});

it('names a value that is wrong, and where it came from', async () => {
  const { code, errors } = await aipx(['verify'], { TIMESCALEDB_PORT: 'many', S3_BUCKET: 'My Bucket' });
  expect(code).toBe(2);
  expect(errors).toMatch(/^TIMESCALEDB_PORT \(environment\): "many" is not /m);
  expect(errors).toMatch(/^S3_BUCKET \(environment\): "My Bucket" is not /m);
});

it('refuses authorities that cannot be read, and those that nothing would check, and names the setting', async () => {
  const args = ['query', 'ticks', '--symbol', 'KRW-BTC', '--source', 'database'];
  const settings = { TIMESCALEDB_PASSWORD: 'secret', TIMESCALEDB_SSL_CA: '/nowhere/ca.pem' };
  expect(await aipx(args, { ...settings, TIMESCALEDB_SSL: 'verify' })).toMatchObject({
    code: 2,
    errors: expect.stringMatching(/^CONFIG_INVALID: TIMESCALEDB_SSL_CA: \/nowhere\/ca\.pem cannot be read: ENOENT/),
  });
  expect(await aipx(args, { ...settings, TIMESCALEDB_SSL: 'require' })).toMatchObject({
    code: 2,
    errors: expect.stringContaining(
      'TIMESCALEDB_SSL_CA (environment): nothing would check it: TIMESCALEDB_SSL is require, not verify',
    ),
  });
});
