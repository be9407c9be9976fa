import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { S3Server } from '../../src/index.js';

/** One request to an S3 server by curl, which signs by itself. Returns the answer's status. */
export async function s3Status(server: S3Server, path: string, ...flags: readonly string[]): Promise<number> {
  return Number(await s3Request(server, path, ['--output', '/dev/null', '--write-out', '%{http_code}', ...flags]));
}

/** The keys of a bucket, one a page, by following the continuation tokens as any client does. */
export async function s3Pages(server: S3Server, bucket: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    // In the order of the names, as the signature wants them.
    const query = [`list-type=2`, `max-keys=1`];
    if (token !== undefined) query.unshift(`continuation-token=${encodeURIComponent(token)}`);
    const page = await s3Request(server, `/${bucket}?${query.join('&')}`, ['--fail-with-body']);
    keys.push([...page.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key = '']) => key).join());
    token = /<NextContinuationToken>([^<]+)</.exec(page)?.[1];
  } while (token !== undefined);
  return keys;
}

async function s3Request(server: S3Server, path: string, flags: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('curl', [
    ...['--silent', '--aws-sigv4', `aws:amz:${server.region}:s3`],
    ...['--user', `${server.accessKeyId}:${server.secretAccessKey}`],
    ...['--header', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'],
    ...flags,
    server.endpoint + path,
  ]);
  return stdout;
}
