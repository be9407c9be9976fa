import type { RecordKind } from '@aipx/venue-kis';
import { judged, notSeen, type Finding } from '../findings.ts';
import { recordsOf, type FrameCheck, type SeenFrame } from './frame.ts';
import { Tally } from './tally.ts';

/** How many records a frame carries, and whether each of them begins with a code. */
export class RecordCounts implements FrameCheck {
  readonly #counts = { trade: new Tally(), orderbook: new Tally() };
  readonly #faults = { trade: new Tally(), orderbook: new Tally() };

  see(frame: SeenFrame): void {
    const kind = frame.stream?.kind;
    if (kind === undefined || kind === 'operation' || frame.fields.length === 0) return;
    this.#counts[kind].add(`${frame.count ?? 'no count'} a frame`);
    if (frame.width === undefined)
      this.#faults[kind].add(`${frame.fields.length} fields in ${frame.count ?? 'uncounted'} records`);
    if (recordsOf(frame).some(([code = '']) => !/^[0-9A-Z]{6,7}$/.test(code))) {
      this.#faults[kind].add('a record that begins with no code');
    }
  }

  findings(): readonly Finding[] {
    return [this.#finding('trade'), this.#finding('orderbook')];
  }

  #finding(kind: Exclude<RecordKind, 'operation'>): Finding {
    const check = kind === 'trade' ? 'records.trade' : 'records.book';
    const counts = this.#counts[kind].texts();
    if (counts.length === 0) return notSeen(check, 'no frame came');
    const expected = 'as many records as the frame announces, all of one width, each with its code first';
    return judged(check, expected, this.#faults[kind].texts(), counts.join(', '));
  }
}
