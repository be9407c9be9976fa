import { inspect } from 'node:util';
import { S3ServiceException } from '@aws-sdk/client-s3';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { s3Error } from './s3-errors.js';

const REQUEST = { operation: 'PutObject', bucket: 'aipx-data-lake', region: 'ap-northeast-2', key: 'market-data/x' };

function answered(code: string, status: number, fields: object = {}): Error {
  const error = new S3ServiceException({
    name: code,
    message: `${code} in words`,
    $fault: status < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode: status },
  });
  return Object.assign(error, fields);
}

function failed(code: string): Error {
  return Object.assign(new Error(`connect ${code} 10.0.0.1:443`), { code });
}

const named = (name: string, message = 'in words') => Object.assign(new Error(message), { name });
const torn = (status: number) =>
  Object.assign(new SyntaxError('Unexpected end of XML'), { $metadata: { httpStatusCode: status } });

/** What becomes of each failure at the start and later. */
const TABLE: [string, unknown, 'waits' | 'ends', 'waits' | 'ends'][] = [
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EPIPE', 'CERT_HAS_EXPIRED'].map(
    (code): [string, unknown, 'waits', 'waits'] => [code, failed(code), 'waits', 'waits'],
  ),
  ['a timeout', named('TimeoutError'), 'waits', 'waits'],
  ['a torn answer', torn(200), 'waits', 'waits'],
  ['a torn refusal', torn(404), 'waits', 'waits'],
  ['InternalError', answered('InternalError', 500), 'waits', 'waits'],
  ['ServiceUnavailable', answered('ServiceUnavailable', 503), 'waits', 'waits'],
  ['SlowDown', answered('SlowDown', 503), 'waits', 'waits'],
  ['a full disk', answered('XMinioStorageFull', 507), 'waits', 'waits'],
  ['too many requests', answered('TooManyRequests', 429), 'waits', 'waits'],
  ['RequestTimeout', answered('RequestTimeout', 400), 'waits', 'waits'],
  ['BadDigest', answered('BadDigest', 400), 'waits', 'waits'],
  ['IncompleteBody', answered('IncompleteBody', 400), 'waits', 'waits'],
  ['ConditionalRequestConflict', answered('ConditionalRequestConflict', 409), 'waits', 'waits'],
  ['OperationAborted', answered('OperationAborted', 409), 'waits', 'waits'],
  ['NoSuchUpload', answered('NoSuchUpload', 404), 'waits', 'waits'],
  ['InvalidPart', answered('InvalidPart', 400), 'waits', 'waits'],
  ['a key service that is away', answered('KMS.DisabledException', 400), 'waits', 'waits'],
  ['expired credentials', answered('ExpiredToken', 400), 'waits', 'waits'],
  ['a clock that is wrong', answered('RequestTimeTooSkewed', 403), 'waits', 'waits'],
  ['AccessDenied', answered('AccessDenied', 403), 'ends', 'waits'],
  ['403 without a word', answered('Forbidden', 403), 'ends', 'waits'],
  ['an unknown key', answered('InvalidAccessKeyId', 403), 'ends', 'waits'],
  ['a wrong secret', answered('SignatureDoesNotMatch', 403), 'ends', 'waits'],
  ['a wrong token', answered('InvalidToken', 400), 'ends', 'waits'],
  ['no credentials', named('CredentialsProviderError', 'Could not load credentials'), 'ends', 'waits'],
  ['an archived object', answered('InvalidObjectState', 403), 'ends', 'waits'],
  ['NoSuchBucket', answered('NoSuchBucket', 404), 'ends', 'ends'],
  ['InvalidBucketName', answered('InvalidBucketName', 400), 'ends', 'ends'],
  ['another region', answered('PermanentRedirect', 301), 'ends', 'ends'],
  ['a malformed signature', answered('AuthorizationHeaderMalformed', 400), 'ends', 'ends'],
  ['a key that is too long', answered('KeyTooLongError', 400), 'ends', 'ends'],
  ['a method that is not allowed', answered('MethodNotAllowed', 405), 'ends', 'ends'],
  ['what the store cannot do', answered('NotImplemented', 501), 'ends', 'ends'],
  ['a mistake of ours', new TypeError('x is not a function'), 'ends', 'ends'],
];

const outcome = (error: MarketDataError) => (error.retryable ? 'waits' : 'ends');

describe('a failure of S3', () => {
  it.each(TABLE)('%s has the outcome that is meant', (_, cause, atStart, later) => {
    const errors = [s3Error(cause, REQUEST, 'final'), s3Error(cause, REQUEST, 'awaited')] as const;
    expect(errors.map(outcome)).toEqual([atStart, later]);
    for (const error of errors) {
      expect(error.code).toBe(error.retryable ? 'STORE_UNAVAILABLE' : 'STORE_REFUSED');
      expect(error.message).toMatch(/^S3 PutObject of market-data\/x in bucket aipx-data-lake failed: /);
    }
  });

  it.each<[string, object]>([
    ['AuthorizationHeaderMalformed', { Region: 'eu-central-1' }],
    ['PermanentRedirect', { $response: { headers: { 'x-amz-bucket-region': 'eu-central-1' } } }],
    ['IllegalLocationConstraintException', { BucketRegion: 'eu-central-1' }],
  ])('names the right region: %s', (code, fields) => {
    expect(s3Error(answered(code, 400, fields), REQUEST, 'final').message).toContain(
      'S3_REGION is ap-northeast-2; set it to eu-central-1, where bucket aipx-data-lake is',
    );
  });

  it('names the setting and the bucket that is missing', () => {
    expect(s3Error(answered('NoSuchBucket', 404), REQUEST, 'final').message).toContain(
      'create the bucket aipx-data-lake, or set S3_BUCKET to one that exists',
    );
  });

  it('keeps nothing of the request or of what a credential process printed', () => {
    const $response = { body: { req: { headers: { 'x-amz-security-token': 'QUITE-SECRET' } } } };
    const refused = answered('InvalidToken', 400, { $response, 'Token-0': 'QUITE-SECRET' });
    const process = named('CredentialsProviderError', 'Command failed: vault --token QUITE-SECRET');
    for (const cause of [refused, process]) {
      const error = s3Error(cause, REQUEST, 'final');
      expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('QUITE-SECRET');
    }
  });

  it('leaves an error that is ours as it is, and has words for one without any', () => {
    const ours = new MarketDataError('STORE_UNAVAILABLE', 'x', { retryable: true });
    expect(s3Error(ours, REQUEST, 'final')).toBe(ours);
    const silent = new AggregateError([failed('ECONNREFUSED')]);
    expect(s3Error(silent, REQUEST, 'final').message).toContain('ECONNREFUSED');
  });
});
