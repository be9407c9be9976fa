/** What a call to the S3 server is for the lake. */
export type CallKind = (typeof CALL_KINDS)[number] | 'upload' | 'other';

/** Those that faults are made of, in the order of a batch's life; reading comes last. */
export const CALL_KINDS = ['plan', 'file', 'part', 'complete', 'entry', 'get', 'list'] as const;

export interface S3Call {
  readonly kind: CallKind;
  /** Without the bucket; empty for a listing. */
  readonly key: string;
  /** Of the batch that the object belongs to: `market.tick-3-00000000000000000042`. */
  readonly batch: string | undefined;
  /** Of a plan that is created: its body. */
  readonly body: Buffer;
}

/** @param url path and query of the request, in path style: `/bucket/key?query` */
export function callOf(method: string, url: string, body: Buffer): S3Call {
  const { pathname, searchParams } = new URL(url, 'http://s3');
  const key = decodeURIComponent(pathname).split('/').slice(2).join('/');
  const batch = /([^/]+-\d+-\d{20})\.(?:json|parquet)$/.exec(key)?.[1];
  return { kind: kindOf(method, key, searchParams), key, batch, body };
}

/** Only what a recorder does with a lake counts: its look for unfinished uploads, and its probe at the start, are `other`. */
function kindOf(method: string, key: string, query: URLSearchParams): CallKind {
  const isFile = key.endsWith('.parquet');
  switch (method) {
    case 'GET':
    case 'HEAD':
      return query.has('list-type') ? 'list' : isFile || key.endsWith('.json') ? 'get' : 'other';
    case 'POST':
      return isFile && query.has('uploads') ? 'upload' : isFile && query.has('uploadId') ? 'complete' : 'other';
    case 'PUT':
      if (isFile) return query.has('partNumber') ? 'part' : 'file';
      return key.includes('/_plan/') ? 'plan' : key.includes('/_manifest/') ? 'entry' : 'other';
    default:
      return 'other';
  }
}
