/** The parts of kafkajs 2.2.4 that `protocol.ts` uses; the package declares no types for them. */
declare module 'kafkajs/src/protocol/requests/index.js' {
  export interface ProtocolVersion {
    readonly request: { readonly encode: () => Promise<{ readonly buffer: Buffer }> };
    readonly response: { readonly decode: (payload: Buffer) => Promise<unknown> };
  }
  export interface Definition {
    readonly versions: readonly string[];
    readonly protocol: (wanted: { readonly version: number }) => (body: object) => ProtocolVersion;
  }
  export const requests: Readonly<Record<string, Definition>>;
}

declare module 'kafkajs/src/protocol/requests/apiKeys.js' {
  const apiKeys: Readonly<Record<string, number>>;
  export default apiKeys;
}

declare module 'kafkajs/src/protocol/error.js' {
  export const errorCodes: readonly {
    readonly type: string;
    readonly code: number;
    readonly retriable: boolean;
    readonly message: string;
  }[];
}

declare module 'kafkajs/src/protocol/recordBatch/crc32C/crc32C.js' {
  export default function crc32C(bytes: Uint8Array): number;
}

declare module 'kafkajs/src/consumer/assignerProtocol.js' {
  export const MemberMetadata: {
    encode(metadata: { version: number; topics: readonly string[]; userData?: Buffer }): Buffer;
    decode(bytes: Buffer): { version: number; topics: string[]; userData: Buffer | null };
  };
  export const MemberAssignment: {
    encode(assigned: { version: number; assignment: Readonly<Record<string, number[]>>; userData?: Buffer }): Buffer;
    decode(bytes: Buffer): { version: number; assignment: Record<string, number[]>; userData: Buffer | null } | null;
  };
}

declare module 'kafkajs/src/protocol/decoder.js' {
  export default class Decoder {
    constructor(bytes: Buffer);
    readInt16(): number;
    readInt32(): number;
    readInt64(): bigint;
    readString(): string | null;
    readBytes(): Buffer | null;
    readArray<Item>(read: () => Item): Item[];
    forward(bytes: number): void;
  }
}
