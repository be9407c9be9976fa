/** How kafkajs 2.2.4 writes and reads records, which the tests hold against our own way. */
declare module 'kafkajs/src/protocol/recordBatch/v0/index.js' {
  export function RecordBatch(batch: object): Promise<{ readonly buffer: Buffer }>;
}

declare module 'kafkajs/src/protocol/recordBatch/v0/decoder.js' {
  export default function decode(from: object): Promise<{
    readonly records: readonly { readonly key: Buffer | null; readonly value: Buffer | null }[];
  }>;
}

declare module 'kafkajs/src/protocol/recordBatch/record/v0/index.js' {
  export default function encodeRecord(record: object): { readonly buf: Buffer };
}
