import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { aipx } from './support/aipx.js';
import { recorderYaml } from './support/recorder-yaml.js';

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

it('warns of a variable that is probably a misspelt setting', async () => {
  const { errors } = await aipx(['migrate', 'status'], { TIMESCALEDB_PASWORD: 'secret' });
  expect(errors).toMatch(/TIMESCALEDB_PASWORD.*did you mean TIMESCALEDB_PASSWORD/);
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

it('takes the YAML file of a recorder, with every setting that one has', async () => {
  const { code, errors } = await aipx(['migrate', 'status', '--config', await fileOf(recorderYaml())]);
  expect({ code, errors }).toEqual({
    code: 2,
    errors:
      'CONFIG_INVALID: TIMESCALEDB_PASSWORD (not set): expected the password of aipx on localhost:5433, in the environment or in .env\n',
  });
});

it('names a misspelt key of such a file, with its line', async () => {
  const file = await fileOf('s3:\n  batchSize: 5\nrecorder:\n  batchSiez: 5\n');
  const { code, errors } = await aipx(['migrate', 'status', '--config', file]);
  expect(code).toBe(2);
  expect(errors).toContain(`recorder.batchSiez (${file} line 4): no such setting; did you mean recorder.batchSize?`);
  expect(errors).not.toContain('s3.');
});

async function fileOf(content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'aipx-command-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'config.yaml');
  await writeFile(file, content);
  return file;
}
