import type {
  Channel as ModelChannel,
  GapCause as ModelGapCause,
  Side as ModelSide,
  StreamType as ModelStreamType,
} from '@aipx/market-model';
import type { Channel, Side, StreamType } from './gen/aipx/market/v1/common_pb.js';
import type { GapCause } from './gen/aipx/market/v1/gap_pb.js';

/** A pair of maps between a model's words and the wire's numbers. A number this version does not know maps to absent. */
class EnumMap<Word extends string, Wire extends number> {
  readonly #wireOf: Readonly<Record<Word, Wire>>;
  readonly #wordOf: ReadonlyMap<number, Word>;

  constructor(wireOf: Readonly<Record<Word, Wire>>) {
    this.#wireOf = wireOf;
    this.#wordOf = new Map((Object.entries(wireOf) as [Word, Wire][]).map(([word, wire]) => [wire, word]));
  }

  /** @throws {TypeError} for what is no word of the model: nothing may be written that would be read as another */
  toWire(word: Word | undefined): Wire {
    if (word === undefined) return 0 as Wire;
    const wire = this.#wireOf[word] as Wire | undefined;
    if (wire === undefined) throw new TypeError(`no enum has the word ${JSON.stringify(word)}`);
    return wire;
  }

  fromWire(wire: number): Word | undefined {
    return this.#wordOf.get(wire);
  }
}

// Numbers, not the generated enums: those would load Protobuf-ES into every process. A test compares the two.
export const sides = new EnumMap<ModelSide, Side>({ BUY: 1, SELL: 2 });
export const streamTypes = new EnumMap<ModelStreamType, StreamType>({ SNAPSHOT: 1, REALTIME: 2 });
export const channels = new EnumMap<ModelChannel, Channel>({ tick: 1, orderbook: 2 });
export const gapCauses = new EnumMap<ModelGapCause, GapCause>({
  RECONNECT: 1,
  SEQUENCE: 2,
  BUFFER: 3,
  UNDECODABLE: 4,
  STALE: 5,
  RETENTION: 6,
});
