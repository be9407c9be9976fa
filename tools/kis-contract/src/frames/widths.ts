import { STREAMS, type Stream } from '@aipx/venue-kis';
import { firstOf, judged, notSeen, type Check, type Finding } from '../findings.ts';
import type { FrameCheck, SeenFrame } from './frame.ts';
import { Tally } from './tally.ts';

/** Fields a record, by stream. KIS adds some without notice: three times in 2026. */
export class Widths implements FrameCheck {
  readonly #trIds: readonly string[];
  readonly #tallies = new Map<string, Tally>();
  readonly #faults = new Set<string>();
  readonly #whyQuiet: (stream: Stream) => string;

  /** @param trIds the streams that were asked for @param whyQuiet why nothing came on one */
  constructor(trIds: readonly string[], whyQuiet: (stream: Stream) => string) {
    this.#trIds = trIds;
    this.#whyQuiet = whyQuiet;
  }

  see({ stream, fields, width, count }: SeenFrame): void {
    if (stream === undefined || fields.length === 0) return;
    const tally = this.#tallies.get(stream.trId) ?? new Tally();
    this.#tallies.set(stream.trId, tally);
    const shown =
      width === undefined ? `${fields.length} fields in ${count ?? 'uncounted'} records` : `${width} fields`;
    tally.add(shown);
    if (width === undefined || !stream.layout.widths.includes(width)) this.#faults.add(stream.trId);
  }

  findings(): readonly Finding[] {
    return this.#trIds.flatMap((trId): readonly Finding[] => {
      const stream = STREAMS.get(trId);
      if (stream === undefined) return [];
      const check = `width.${trId}` as Check;
      const tally = this.#tallies.get(trId);
      if (tally === undefined) return [notSeen(check, this.#whyQuiet(stream))];
      const came = firstOf(tally.texts());
      const known = stream.layout.widths.join(' or ');
      const faults = this.#faults.has(trId) ? [came] : [];
      return [judged(check, `${known} fields a record`, faults, `${came} (known: ${known})`)];
    });
  }
}
