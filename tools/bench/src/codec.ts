import { parseJsonKeepingDigits } from '@aipx/market-model';
import { decodeEvent, encodeEvent } from '@aipx/market-proto';
import { CHANNELS, figure, type Figure } from './figures.ts';
import { cpuMicros, inRounds, type Bench } from './measure.ts';

const decoder = new TextDecoder();

/** Different records to compute with: few, so that they are in the processor's cache, as one that just arrived is. */
const RECORDS = { tick: 2_000, orderbook: 500 } as const;

/** From a frame's bytes to its record, and how much of that is JSON. */
export async function measureParse(bench: Bench): Promise<readonly Figure[]> {
  const { session } = bench.input;
  const figures: Figure[] = [];
  for (const of of CHANNELS) {
    const frames = bench.input.frames(of, RECORDS[of]);
    const { receivedAt } = bench.input;
    const { whole, json, normalising, plain } = await inRounds(bench, () => {
      const micros = cpuMicros(frames, bench, {
        whole: (frame) => session.read(frame, receivedAt),
        json: (frame) => parseJsonKeepingDigits(frame),
        plain: (frame) => JSON.parse(decoder.decode(frame)) as unknown,
      });
      return { ...micros, normalising: micros.whole - micros.json };
    });
    const micros = { group: 'parse', of, unit: 'µs/record' } as const;
    figures.push(
      figure({ ...micros, what: 'size of a frame', unit: 'bytes/record' }, sizesOf(frames)),
      figure({ ...micros, what: 'frame to record' }, whole),
      figure({ ...micros, what: 'of it JSON, every digit kept' }, json),
      figure({ ...micros, what: 'of it normalising' }, normalising),
      figure({ ...micros, what: 'JSON.parse instead, digits lost' }, plain),
    );
  }
  return figures;
}

/** Records to Protobuf and back. */
export async function measureEncode(bench: Bench): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const of of CHANNELS) {
    const records = bench.input.events(of, RECORDS[of]).map((event) => ({ event, bytes: encodeEvent(event) }));
    const { encode, decode } = await inRounds(bench, () =>
      cpuMicros(records, bench, {
        encode: ({ event }) => encodeEvent(event),
        decode: ({ bytes }) => decodeEvent(of, bytes),
      }),
    );
    const micros = { group: 'encode', of, unit: 'µs/record' } as const;
    figures.push(
      figure({ ...micros, what: 'size of a record', unit: 'bytes/record' }, sizesOf(records.map(({ bytes }) => bytes))),
      figure({ ...micros, what: 'record to Protobuf' }, encode),
      figure({ ...micros, what: 'Protobuf to record' }, decode),
    );
  }
  return figures;
}

function sizesOf(buffers: readonly Uint8Array[]): readonly number[] {
  return buffers.map(({ length }) => length);
}
