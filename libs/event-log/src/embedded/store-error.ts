import { MarketDataError, type ErrorCode } from '@aipx/market-model';
import { lockHolder } from './lock-holder.js';

/** What a failure means to somebody who has never heard of the database inside. */
interface Meaning {
  readonly code: ErrorCode;
  readonly says: (path: string) => string;
  readonly retryable?: boolean;
}

const IN_USE: Meaning = {
  code: 'CONFIG_DATA_DIR_IN_USE',
  says: (path) => {
    const holder = lockHolder(path);
    const who = holder === undefined ? 'another process' : `process ${holder}`;
    return `${path} is in use by ${who}; stop that process, or choose another data folder`;
  },
};
const NOT_WRITABLE: Meaning = {
  code: 'STORE_REFUSED',
  says: (path) =>
    `${path} cannot be opened for writing; make the file and its folder writable, or choose another folder`,
};
const DAMAGED: Meaning = {
  code: 'STORE_DAMAGED',
  says: (path) => `${path} is damaged; put back a copy of it, or move it away so that a new log begins`,
};
/** Waiting helps: room can be made while we run. */
const FULL: Meaning = {
  code: 'STORE_UNAVAILABLE',
  says: (path) => `${path} has no room left; free space on its disk, or raise the log's size limit`,
  retryable: true,
};
const FAILING: Meaning = {
  code: 'STORE_UNAVAILABLE',
  says: (path) => `${path} cannot be read or written; its disk reports a fault`,
};
const TOO_LARGE: Meaning = {
  code: 'PUBLISH_TOO_LARGE',
  says: (path) => `${path} cannot hold a record of this size`,
};

/** IOERR_LOCK: a file that may only be read cannot be locked for writing. */
const LOCK_NOT_GRANTED = 3850;

/** By primary result code; see https://www.sqlite.org/rescode.html. */
const MEANING_OF_RESULT: ReadonlyMap<number, Meaning> = new Map([
  [1, DAMAGED], // ERROR: our statements are fixed, so only a table that is missing or different can cause it
  [3, NOT_WRITABLE], // PERM
  [5, IN_USE], // BUSY
  [6, IN_USE], // LOCKED
  [8, NOT_WRITABLE], // READONLY
  [10, FAILING], // IOERR
  [11, DAMAGED], // CORRUPT
  [13, FULL], // FULL
  [14, NOT_WRITABLE], // CANTOPEN
  [18, TOO_LARGE], // TOOBIG
  [26, DAMAGED], // NOTADB
]);

const MEANING_OF_ERRNO: ReadonlyMap<string, Meaning> = new Map([
  ['EACCES', NOT_WRITABLE],
  ['EPERM', NOT_WRITABLE],
  ['EROFS', NOT_WRITABLE],
  ['ENOENT', NOT_WRITABLE],
  ['ENOTDIR', NOT_WRITABLE],
  ['EEXIST', NOT_WRITABLE],
  ['EISDIR', NOT_WRITABLE],
  ['ENOSPC', FULL],
  ['EDQUOT', FULL],
  ['EIO', FAILING],
]);

/** The failure of a database or file call in our words, with what was said as its cause. Our own errors pass. */
export function storeError(cause: unknown, path: string): MarketDataError {
  if (cause instanceof MarketDataError) return cause;
  const meaning = meaningOf(cause);
  if (meaning === undefined) return unexpected(cause, path);
  const { code, says, retryable } = meaning;
  return new MarketDataError(code, says(path), { cause, context: { path }, retryable: retryable ?? false });
}

/** A fault of ours, such as a value that is no bytes: said as it is. */
function unexpected(cause: unknown, path: string): MarketDataError {
  const said = cause instanceof Error ? cause.message : String(cause);
  return new MarketDataError('STORE_REFUSED', `${path} refuses what it was asked: ${said}`, {
    cause,
    context: { path },
  });
}

function meaningOf(cause: unknown): Meaning | undefined {
  if (!(cause instanceof Error)) return undefined;
  if ('errcode' in cause && typeof cause.errcode === 'number') {
    return cause.errcode === LOCK_NOT_GRANTED ? NOT_WRITABLE : MEANING_OF_RESULT.get(cause.errcode & 0xff);
  }
  if ('code' in cause && typeof cause.code === 'string') return MEANING_OF_ERRNO.get(cause.code);
  return undefined;
}
