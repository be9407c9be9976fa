import { MarketDataError } from '@aipx/market-model';

const MOST_SEGMENT_BYTES = 8 * 1024 * 1024;
/** A small queue has files in this number, so that room comes back while it is drained. */
const LEAST_SEGMENTS = 8;
const MOST_RESERVED_BYTES = 16 * 1024 * 1024;

export interface SpillQueueOptions {
  /** Made if it is not there. One process at a time may have it open. */
  readonly folder: string;
  /** Of all files together. */
  readonly maxBytes: number;
  /** Kept free of writes that are not `reserved`. @default a sixteenth of `maxBytes`, at most 16 MiB */
  readonly reservedBytes?: number;
  /** A new file is begun beyond this size. @default an eighth of `maxBytes`, at most 8 MiB */
  readonly segmentBytes?: number;
  /**
   * Told once of each damage that is found (`STORE_DAMAGED`: file, position, what is lost), and once when the mark cannot
   * be moved or a file not be removed for now (`STORE_UNAVAILABLE`: acknowledged records may come again after a crash).
   */
  readonly onDamage?: (error: MarketDataError) => void;
}

export interface SpillSizes {
  readonly maxBytes: number;
  readonly reservedBytes: number;
  readonly segmentBytes: number;
}

/** @throws {MarketDataError} `CONFIG_INVALID` */
export function checkedSizes({ maxBytes, reservedBytes, segmentBytes }: SpillQueueOptions): SpillSizes {
  const sizes = {
    maxBytes,
    reservedBytes: reservedBytes ?? Math.min(Math.floor(maxBytes / 16), MOST_RESERVED_BYTES),
    segmentBytes: segmentBytes ?? Math.min(Math.ceil(maxBytes / LEAST_SEGMENTS), MOST_SEGMENT_BYTES),
  };
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < 0) throw wrongSize(`${name} is a whole number of bytes, not ${size}`);
  }
  if (sizes.reservedBytes >= maxBytes) {
    throw wrongSize(`SPILL_MAX_BYTES ${maxBytes} must be more than the ${sizes.reservedBytes} bytes kept free in it`);
  }
  return sizes;
}

function wrongSize(message: string): MarketDataError {
  return new MarketDataError('CONFIG_INVALID', message);
}
