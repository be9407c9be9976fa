import { MarketDataError } from '@aipx/market-model';

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT']);
/** Somebody chose a wrong folder, or its rights are wrong. */
const WRONG_FOLDER = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOENT',
  'ENOTDIR',
  'EEXIST',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
]);

export function errnoOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

/** A failed file call of the running queue, in our words. It may work later. Anything else passes unchanged. */
export function fileFault(cause: unknown, path: string): unknown {
  const errno = errnoOf(cause);
  if (cause instanceof MarketDataError || !(cause instanceof Error) || errno === undefined) return cause;
  const says = NO_ROOM.has(errno)
    ? `${path} cannot be written: its disk has no room left (${errno}); free some`
    : `${path} cannot be used just now: ${cause.message}`;
  return new MarketDataError('STORE_UNAVAILABLE', says, { cause, context: { path, errno }, retryable: true });
}

/** A file call that failed while the folder was opened. */
export function openFault(cause: unknown, folder: string): unknown {
  const errno = errnoOf(cause);
  if (cause instanceof MarketDataError || !(cause instanceof Error) || errno === undefined) return cause;
  if (!WRONG_FOLDER.has(errno)) return fileFault(cause, folder);
  return new MarketDataError(
    'CONFIG_INVALID',
    `SPILL_DIR ${folder} cannot be used: ${cause.message}; let this user write there, or name another folder`,
    { cause, context: { folder, errno } },
  );
}

export interface Damage {
  readonly path: string;
  readonly position: number;
  /** That cannot be read. 0 when they are not there at all. */
  readonly bytes: number;
  /** Lost with them. `undefined` when nobody can tell. */
  readonly records: number | undefined;
}

export function damageError({ path, position, bytes, records }: Damage): MarketDataError {
  const what =
    bytes === 0 ? `something is missing at byte ${position}` : `${bytes} bytes from byte ${position} cannot be read`;
  const says = `${path} is damaged: ${what}; records lost: ${records ?? 'unknown'}; the rest is kept`;
  return new MarketDataError('STORE_DAMAGED', says, {
    context: { path, position, bytes, ...(records !== undefined && { records }) },
  });
}
