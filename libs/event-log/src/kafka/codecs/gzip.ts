import { gunzipSync, gzipSync } from 'node:zlib';
import type { Codec } from './codec.js';

export const gzip: Codec = {
  id: 1,
  compress: (bytes) => gzipSync(bytes),
  decompress: (bytes) => gunzipSync(bytes),
};
