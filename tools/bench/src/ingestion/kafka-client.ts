import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs, { type Kafka } from 'kafkajs';

const { CompressionCodecs, CompressionTypes, logLevel } = kafkajs;

/** As the service compresses. */
const params = { [constants.ZSTD_c_compressionLevel]: 1 };

/** kafkajs knows of zstd, and leaves the work to its user. */
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { readonly buffer: Buffer }) =>
    Promise.resolve(zstdCompressSync(buffer, { params, pledgedSrcSize: buffer.length })),
  decompress: (buffer: Buffer) => Promise.resolve(zstdDecompressSync(buffer)),
});

export function kafkaClient(brokers: readonly string[]): Kafka {
  return new kafkajs.Kafka({ brokers: [...brokers], clientId: 'ingestion-bench', logLevel: logLevel.ERROR });
}
