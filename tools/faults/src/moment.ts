import type { S3Call } from './proxy/s3-call.ts';

/** A moment in a recorder's work, seen on its wire to the database: rows on their way, COMMIT on its way, COMMIT answered. */
export interface HotMoment {
  readonly wire: 'database';
  readonly at: 'copy' | 'commit' | 'committed';
}

/** Likewise on its wire to the S3 server. */
export interface ColdMoment {
  readonly wire: 's3';
  /** `request`: the server has not seen it yet. `answer`: it has done its work, and the recorder does not know. */
  readonly at: 'request' | 'answer';
  readonly call: S3Call;
  /** HTTP status of the answer. */
  readonly status: number | undefined;
}

export type Moment = HotMoment | ColdMoment;

/** What becomes of the message that made the moment. */
export type Deed =
  /** It goes on, after `until`; `afterwards` is called when it has left. */
  | { readonly does: 'pass'; readonly until?: Promise<unknown>; readonly afterwards?: () => void }
  /** It does not go on, and nothing else on this connection, which is reset after `until`, or never. */
  | { readonly does: 'withhold'; readonly until?: Promise<unknown> }
  | { readonly does: 'reset' }
  /** The recorder gets an error in place of it: an HTTP status, or an SQLSTATE. */
  | { readonly does: 'refuse'; readonly status: number | string };

export const PASS: Deed = { does: 'pass' };

/** Decides at each moment. */
export type Judge<M extends Moment> = (moment: M) => Deed;
