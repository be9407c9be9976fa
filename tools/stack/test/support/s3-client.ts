import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { S3Server } from '../../src/index.js';

/** One request to an S3 server by curl, which signs by itself. Returns the answer's status. */
export async function s3Status(server: S3Server, path: string, ...flags: readonly string[]): Promise<number> {
  const { stdout } = await promisify(execFile)('curl', [
    ...['--silent', '--output', '/dev/null', '--write-out', '%{http_code}'],
    ...['--aws-sigv4', `aws:amz:${server.region}:s3`, '--user', `${server.accessKeyId}:${server.secretAccessKey}`],
    ...['--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'],
    ...flags,
    server.endpoint + path,
  ]);
  return Number(stdout);
}
