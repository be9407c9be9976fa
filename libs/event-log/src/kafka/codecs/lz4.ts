import type * as Lz4 from 'lz4-napi';
import type { Codec } from './codec.js';
import { nativePackage } from './native-package.js';

const load = nativePackage<typeof Lz4>('lz4-napi');

/** The frame format, as Kafka asks for since version 2 of its records. */
export const lz4: Codec = {
  id: 3,
  compress: (bytes) => load().compressFrameSync(bytes),
  decompress: (bytes) => load().decompressFrameSync(bytes),
};
