import type { Gap, GapCause, Nanoseconds } from '@aipx/market-model';
import type { FrameRecord, Subscription, VenueDriver } from '@aipx/venue';
import { missedIn, type MissedStretch } from './absences.js';
import type { StaleStretch } from './subscription-states.js';

type Missing = Extract<FrameRecord, { outcome: 'gap' }>;
type Rejected = Extract<FrameRecord, { outcome: 'rejected' }>;

const STALE_DETAIL = 'silent for far longer than ever while other streams went on';

/** What is missing of one venue's streams, as gaps. */
export class VenueGaps {
  readonly #driver: Pick<VenueDriver, 'id' | 'mayHaveSent'>;

  constructor(driver: Pick<VenueDriver, 'id' | 'mayHaveSent'>) {
    this.#driver = driver;
  }

  /** Nobody listened. */
  lost({ subscription, from, to, detail }: MissedStretch): Gap {
    return this.#gap(subscription, from, to, 'RECONNECT', detail);
  }

  /** The stream was stale until `at`. `undefined` where the venue sent nothing meanwhile. */
  stale({ subscription, from, lastRecordAt }: StaleStretch, at: Nanoseconds): Gap | undefined {
    const missed = missedIn(this.#driver, { from, dataAt: lastRecordAt }, at);
    return missed && this.#gap(subscription, missed.from, missed.to, 'STALE', STALE_DETAIL);
  }

  /** The venue's numbers, or volumes, show a loss between `from` and `at`. */
  sequence(record: Missing, from: Nanoseconds, at: Nanoseconds): Gap {
    const { missed, missedVolume, detail } = record;
    return { ...this.#gap(record, from, at, 'SEQUENCE', detail), missed, missedVolume };
  }

  /** A record that came at `at`, behind that at `from`, cannot be read. */
  undecodable(record: Rejected, from: Nanoseconds, at: Nanoseconds): Gap {
    const { channel, missed } = record;
    // Of a frame that cannot be read nobody can say how many records it carried.
    const lost = missed ?? (channel === undefined ? 0n : 1n);
    return { ...this.#gap(record, from, at, 'UNDECODABLE', record.error.message), missed: lost };
  }

  /** A clock that was set back cannot make a stretch of negative length. */
  #gap(
    { symbol, channel }: { readonly symbol: string; readonly channel: Subscription['channel'] | undefined },
    from: Nanoseconds,
    to: Nanoseconds,
    cause: GapCause,
    detail: string,
  ): Gap {
    const stretch = { from: from < to ? from : to, to };
    const { id: exchange } = this.#driver;
    return { kind: 'gap', exchange, symbol, channel, ...stretch, cause, missed: 0n, missedVolume: undefined, detail };
  }
}
