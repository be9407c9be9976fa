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
