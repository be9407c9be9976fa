import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export type WireField = readonly [number: number, value: string | Uint8Array | bigint];

/** A message by field numbers, written without the generated types: text and bytes, or integers as varints. */
export function wire(
  ...fields: readonly (readonly [number: number, value: string | Uint8Array | bigint])[]
): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) {
    if (typeof value === 'bigint') writer.tag(number, WireType.Varint).int64(value);
    else if (typeof value === 'string') writer.tag(number, WireType.LengthDelimited).string(value);
    else writer.tag(number, WireType.LengthDelimited).bytes(value);
  }
  return writer.finish();
}
