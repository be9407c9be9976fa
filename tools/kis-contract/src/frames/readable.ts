import { judged, notSeen, type Finding } from '../findings.ts';
import { excerpt } from '../redactor.ts';
import type { FrameCheck, SeenFrame } from './frame.ts';
import { Tally } from './tally.ts';

/** Whether the driver can read every record, and is interested in it. */
export class Readable implements FrameCheck {
  #records = 0;
  readonly #faults = new Tally();

  see({ records }: SeenFrame): void {
    for (const record of records) {
      this.#records += 1;
      if (record.outcome === 'rejected') this.#faults.add(excerpt(record.error.message));
      if (record.outcome === 'ignored') this.#faults.add('a record that nobody asked for');
    }
  }

  findings(): readonly Finding[] {
    if (this.#records === 0) return [notSeen('records.readable', 'no frame came')];
    const came = `${this.#records} records, all of them`;
    return [judged('records.readable', 'records that the driver reads', this.#faults.texts(), came)];
  }
}
