import { MarketDataError } from '@aipx/market-model';

/** A data frame, `<flag>|<TR_ID>|<count>|<payload>`, taken apart at its first three `|`. */
export interface Frame {
  readonly encrypted: boolean;
  readonly trId: string;
  /** Records that the frame announces. Absent when the text is no count. */
  readonly count: number | undefined;
  readonly payload: string;
}

const PLAIN = 48;
const ENCRYPTED = 49;

/**
 * Text frames with invalid UTF-8 have been seen around the auctions. A bad byte becomes U+FFFD and never takes an ASCII
 * neighbour with it, so `|` and `^` stay where they are and only the field with the bad byte is unreadable.
 */
const DECODER = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

export function decodeText(bytes: Uint8Array): string {
  return DECODER.decode(bytes);
}

/** The first byte tells: `0` plain and `1` encrypted data; everything else is JSON talk. */
export function isDataFrame(bytes: Uint8Array): boolean {
  return bytes[0] === PLAIN || bytes[0] === ENCRYPTED;
}

/** @throws {MarketDataError} `VALIDATION_FRAME` when it has no three `|` or begins with neither `0|` nor `1|` */
export function splitFrame(bytes: Uint8Array): Frame {
  const text = decodeText(bytes);
  const trEnd = text.indexOf('|', 2);
  const countEnd = trEnd === -1 ? -1 : text.indexOf('|', trEnd + 1);
  if (!isDataFrame(bytes) || text[1] !== '|' || countEnd === -1) {
    throw new MarketDataError('VALIDATION_FRAME', 'frame is not <0 or 1>|<TR id>|<count>|<payload>');
  }
  return {
    encrypted: bytes[0] === ENCRYPTED,
    trId: text.slice(2, trEnd),
    count: readCount(text.slice(trEnd + 1, countEnd)),
    payload: text.slice(countEnd + 1),
  };
}

/** Zero-padded: `001`, `019`. */
function readCount(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}
