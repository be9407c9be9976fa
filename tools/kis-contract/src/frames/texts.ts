import { BOOK, TRADE, type Stream } from '@aipx/venue-kis';
import { firstOf, notSeen, ok, type Finding } from '../findings.ts';
import { recordsOf, type FrameCheck, type SeenFrame } from './frame.ts';
import { Tally } from './tally.ts';

const NULL = '(null)';

/** Fields that hold the text `(null)`. Which ones do is nowhere documented. */
export class NullValues implements FrameCheck {
  readonly #fields = new Tally();

  see(frame: SeenFrame): void {
    const { stream } = frame;
    if (stream === undefined || !frame.fields.includes(NULL)) return;
    for (const record of recordsOf(frame)) {
      for (const [index, value] of record.entries()) {
        if (value === NULL) this.#fields.add(`${stream.trId} ${fieldName(stream, index)}`);
      }
    }
  }

  findings(): readonly Finding[] {
    if (this.#fields.size === 0) return [notSeen('values.null', 'no field held the text (null)')];
    return [ok('values.null', `(null) in ${firstOf(this.#fields.texts())}`)];
  }
}

/** Frames that are no UTF-8: seen by others around the auctions. A strict client hangs up on one, and loses its slot. */
export class InvalidText implements FrameCheck {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #frames = 0;
  readonly #invalid = new Tally();

  see({ bytes, stream }: SeenFrame): void {
    this.#frames += 1;
    try {
      this.#decoder.decode(bytes);
    } catch {
      this.#invalid.add(stream?.trId ?? 'a stream that is not known');
    }
  }

  findings(): readonly Finding[] {
    const [first] = this.#invalid.names;
    if (first === undefined) return [notSeen('text.utf8', `${this.#frames} frames, all of them UTF-8`)];
    return [ok('text.utf8', `invalid UTF-8 in ${firstOf(this.#invalid.texts())}; the connection stood it`)];
  }
}

function fieldName({ kind }: Stream, index: number): string {
  const layout: Readonly<Record<string, number>> = kind === 'trade' ? TRADE : kind === 'orderbook' ? BOOK : {};
  const name = Object.keys(layout).find((candidate) => layout[candidate] === index);
  return name ?? `field ${index}`;
}
