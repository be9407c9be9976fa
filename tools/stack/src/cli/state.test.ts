import { describe, expect, it } from 'vitest';
import { s3Environment } from './hold.js';
import { environmentLines } from './state.js';

const server = { endpoint: 'http://127.0.0.1:9000', region: 'here', accessKeyId: 'id', secretAccessKey: 'secret' };

function linesOf(conditionalWrites: boolean): string {
  return environmentLines([
    { part: 's3', mode: 'native', env: s3Environment({ ...server, conditionalWrites }), servers: [] },
  ]);
}

describe('the lines that `up` prints', () => {
  const addresses =
    'S3_ENDPOINT=http://127.0.0.1:9000\nS3_REGION=here\nS3_BUCKET=aipx-data-lake\n' +
    'AWS_ACCESS_KEY_ID=id\nAWS_SECRET_ACCESS_KEY=secret\n';

  it('say nothing of the number of writers on an S3 server that holds them apart', () => {
    expect(linesOf(true)).toBe(addresses);
  });

  it('set a single writer on one that ignores If-None-Match, and say why', () => {
    expect(linesOf(false)).toBe(
      `${addresses}# This S3 server ignores If-None-Match: never run more than one recorder on it.\nS3_SINGLE_WRITER=true\n`,
    );
  });
});
