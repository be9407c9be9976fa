/**
 * A Protobuf message as it lies on the wire, read without its schema: each field's values in order, varints as unsigned
 * 64 bits, everything with a length as bytes. Written from the encoding's specification, for an auditor must not read
 * with the code it audits.
 */
export type WireMessage = ReadonlyMap<number, readonly (bigint | Uint8Array)[]>;

const VARINT = 0;
const I64 = 1;
const LENGTH = 2;
const I32 = 5;

/** @throws {RangeError} when the bytes are no Protobuf message */
export function readWire(bytes: Uint8Array): WireMessage {
  const fields = new Map<number, (bigint | Uint8Array)[]>();
  let at = 0;

  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at];
      if (byte === undefined) throw new RangeError(`a number ends with the message, at byte ${at}`);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError(`a number has more than ten bytes, at byte ${at}`);
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new RangeError(`a field ends behind the message, at byte ${at}`);
    at += length;
    return bytes.subarray(at - length, at);
  };

  while (at < bytes.length) {
    const tag = Number(varint());
    const values = fields.get(tag >>> 3) ?? [];
    fields.set(tag >>> 3, values);
    switch (tag & 7) {
      case VARINT:
        values.push(varint());
        break;
      case LENGTH:
        values.push(take(Number(varint())));
        break;
      case I64:
        values.push(take(8));
        break;
      case I32:
        values.push(take(4));
        break;
      default:
        throw new RangeError(`field ${tag >>> 3} has the unknown wire type ${tag & 7}`);
    }
  }
  return fields;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A singular text field; absent is empty, as proto3 has it. */
export function textField(message: WireMessage, field: number): string {
  const value = lastValue(message, field);
  if (value === undefined) return '';
  if (typeof value === 'bigint') throw new RangeError(`field ${field} is a number where a text is expected`);
  return utf8.decode(value);
}

/** A singular integer field, signed; absent is 0. */
export function int64Field(message: WireMessage, field: number): bigint {
  return BigInt.asIntN(64, uint64Field(message, field));
}

export function uint64Field(message: WireMessage, field: number): bigint {
  const value = lastValue(message, field) ?? 0n;
  if (typeof value !== 'bigint') throw new RangeError(`field ${field} is bytes where a number is expected`);
  return value;
}

export function messageFields(message: WireMessage, field: number): readonly WireMessage[] {
  return (message.get(field) ?? []).map((value) => {
    if (typeof value === 'bigint') throw new RangeError(`field ${field} is a number where a message is expected`);
    return readWire(value);
  });
}

/** Of a singular field that comes again, the last counts. */
function lastValue(message: WireMessage, field: number): bigint | Uint8Array | undefined {
  return message.get(field)?.at(-1);
}
