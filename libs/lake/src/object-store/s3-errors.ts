import type { S3ServiceException } from '@aws-sdk/client-s3';
import { MarketDataError } from '@aipx/market-model';

/** What was asked of the bucket, for the message. */
export interface S3Request {
  readonly operation: string;
  readonly bucket: string;
  readonly region: string;
  /** The key, or the prefix of keys. */
  readonly key: string;
}

/**
 * What becomes of a refusal that an operator can mend while the service runs: keys, policies, an archived object. At start it is final,
 * since a wrong setting is best told at once; later it is waited out, since ending would mend nothing and the log holds the records.
 */
export type Access = 'final' | 'awaited';

/** The upload or the request has to begin anew; nothing is wrong with what was asked. */
const ANEW = new Set([
  'BadDigest',
  'ConditionalRequestConflict',
  'IncompleteBody',
  'InvalidPart',
  'InvalidPartOrder',
  'NoSuchUpload',
  'OperationAborted',
  'RequestTimeout',
  'SlowDown',
  'SlowDownRead',
  'SlowDownWrite',
  'TemporaryRedirect',
  'XAmzContentChecksumMismatch',
  'XAmzContentSHA256Mismatch',
]);

/** Credentials and clocks that are renewed beside the service. */
const RENEWED = new Map([
  ['ExpiredToken', 'the credentials have expired and wait to be renewed'],
  ['ExpiredTokenException', 'the credentials have expired and wait to be renewed'],
  ['TokenRefreshRequired', 'the credentials have expired and wait to be renewed'],
  ['RequestExpired', "this machine's clock and the store's differ by more than 15 minutes"],
  ['RequestTimeTooSkewed', "this machine's clock and the store's differ by more than 15 minutes"],
]);

const ACCESS = new Map([
  ['AccessDenied', 'check the policies of these keys and of the bucket: the README of @aipx/lake lists what is needed'],
  ['AccountProblem', 'the account is blocked'],
  ['AllAccessDisabled', 'access to the bucket is switched off'],
  [
    'CredentialsProviderError',
    'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment (.env is not read for them), a profile or a role',
  ],
  ['InvalidAccessKeyId', 'check AWS_ACCESS_KEY_ID'],
  ['InvalidObjectState', 'the object is archived: restore it, and keep the lake out of lifecycle rules that archive'],
  ['InvalidToken', 'check AWS_SESSION_TOKEN'],
  ['NotSignedUp', 'the account has no S3'],
  ['SignatureDoesNotMatch', 'check AWS_SECRET_ACCESS_KEY'],
]);

const WRONG_REGION = new Set([
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'PermanentRedirect',
]);

/** The part of an error of the S3 client that can be relied on. */
interface S3Failure {
  /** The store's code, such as `NoSuchKey`, or the name of the client's own error. */
  readonly code: string;
  /** `undefined` when the store did not answer. */
  readonly status: number | undefined;
  /** Whether what the store answered could be read. */
  readonly isRead: boolean;
  readonly message: string;
}

export function failureOf(cause: unknown): S3Failure {
  const failed = (cause ?? {}) as Partial<S3ServiceException> & { readonly Code?: string };
  return {
    code: failed.Code ?? failed.name ?? 'Error',
    status: failed.$metadata?.httpStatusCode,
    isRead: failed.$fault !== undefined,
    message: firstLine(failed.message ?? String(cause)),
  };
}

/** The client adds a line about its own insides. */
function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** The error that the lake sees. Nothing of the request is kept in it: its headers carry session tokens. */
export function s3Error(cause: unknown, request: S3Request, access: Access): MarketDataError {
  if (cause instanceof MarketDataError) return cause;
  const failure = failureOf(cause);
  const { outcome, advice } = judge(cause, failure, request, access);
  const { operation, bucket, key } = request;
  const text = `S3 ${operation} of ${key} in bucket ${bucket} failed: ${inWords(cause, failure)}${advice && `; ${advice}`}`;
  return new MarketDataError(outcome === 'retry' ? 'STORE_UNAVAILABLE' : 'STORE_REFUSED', text, {
    cause: withoutRequest(cause, failure),
    context: { operation, bucket, key, code: failure.code },
    retryable: outcome === 'retry',
  });
}

interface Judgement {
  readonly outcome: 'retry' | 'final';
  readonly advice: string;
}

function judge(cause: unknown, { code, status, isRead }: S3Failure, request: S3Request, access: Access): Judgement {
  const retry = (advice = ''): Judgement => ({ outcome: 'retry', advice });
  const final = (advice = ''): Judgement => ({ outcome: 'final', advice });
  const renewed = RENEWED.get(code);
  if (renewed !== undefined) return retry(renewed);
  if (ANEW.has(code) || code.startsWith('KMS.') || status === 429) return retry();
  if (code === 'NoSuchBucket') return final(`create the bucket ${request.bucket}, or set S3_BUCKET to one that exists`);
  if (code === 'InvalidBucketName') return final('set S3_BUCKET to a valid name');
  if (WRONG_REGION.has(code) || status === 301) return final(regionAdvice(cause, request));
  const mend = ACCESS.get(code) ?? (status === 401 || status === 403 ? ACCESS.get('AccessDenied') : undefined);
  if (mend !== undefined) return access === 'final' ? final(mend) : retry(mend);
  if (code === 'NotImplemented' || status === 501) return final('the store cannot do this');
  if (isRead) return status !== undefined && status >= 500 ? retry() : final();
  // No answer, or one that could not be read to its end.
  return isMistake(cause) ? final() : retry('check S3_ENDPOINT and the network');
}

function regionAdvice(cause: unknown, { bucket, region }: S3Request): string {
  const { Region, BucketRegion, $response } = cause as {
    readonly Region?: string;
    readonly BucketRegion?: string;
    readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  };
  const right = $response?.headers?.['x-amz-bucket-region'] ?? Region ?? BucketRegion;
  const found = right === undefined ? 'the region of the bucket' : right;
  return `S3_REGION is ${region}; set it to ${found}${right === undefined ? ` ${bucket}` : `, where bucket ${bucket} is`}`;
}

/** The program's fault or a setting's, not the network's: system errors have a code. */
function isMistake(cause: unknown): boolean {
  if (!(cause instanceof Error)) return true;
  return (cause instanceof TypeError || cause instanceof RangeError) && !('code' in cause);
}

function inWords(cause: unknown, { code, message }: S3Failure): string {
  // What a credential_process printed may be a secret.
  if (code === 'CredentialsProviderError' && message.includes('Command failed')) return `${code}: its command failed`;
  const errors: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [];
  const parts = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  const text = message || parts.join('; ') || 'no message';
  return code === 'Error' || text === code ? text : `${code}: ${text}`;
}

function withoutRequest(cause: unknown, failure: S3Failure): Error {
  const slim = new Error(inWords(cause, failure));
  slim.name = failure.code;
  return slim;
}
