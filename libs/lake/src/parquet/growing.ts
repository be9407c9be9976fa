/** Room at first: small, because a batch may have many files in the making, each with some twenty columns. */
export const FIRST_ROOM = 64;

type Growing = Uint8Array<ArrayBuffer> | Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;

/** The same content with twice the room. The given array is empty afterwards: its memory is freed at once. */
export function grown<Values extends Growing>(values: Values): Values {
  const Type = values.constructor as new (memory: ArrayBuffer) => Values;
  return new Type(values.buffer.transfer(2 * values.byteLength));
}
