import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** Where an S3 server is and who asks. */
export interface S3Address {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Sends one request without a body, signed by AWS Signature Version 4.
 *
 * @param path an absolute path without a query, of letters that need no escape
 * @throws when nobody answers, or the signal is aborted
 */
export async function signedRequest(
  address: S3Address,
  method: 'GET' | 'PUT',
  path: string,
  signal: AbortSignal,
): Promise<S3Answer> {
  const url = new URL(path, address.endpoint);
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const bodyHash = sha256('');
  const headers = { host: url.host, 'x-amz-content-sha256': bodyHash, 'x-amz-date': time };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = [method, path, '', lines.join(''), names, bodyHash].join('\n');
  const scope = [time.slice(0, 8), address.region, 's3', 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${address.secretAccessKey}`);
  const credential = `Credential=${address.accessKeyId}/${scope.join('/')}`;
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`;
  // A connection of its own: one that was kept from before a restart of the server is dead.
  const sent = request(url, { method, headers: { ...headers, authorization }, agent: false, signal }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await text(response) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
