import { MarketDataError } from '@aipx/market-model';

const TRADE = '0|H0STCNT0|001|';
const NARROW = '005930^094751^71950^2^1350';

/** Ways in which a data frame can be broken, each of which a reader must survive. */
const BROKEN: Readonly<Record<string, Buffer>> = {
  text: Buffer.from('{"broken":"fra'),
  narrow: Buffer.from(TRADE + NARROW),
  uneven: Buffer.from(`0|H0STCNT0|002|${NARROW}^005930^094751`),
  'no-count': Buffer.from(`0|H0STCNT0|abc|${NARROW}`),
  'zero-count': Buffer.from(`0|H0STCNT0|000|${NARROW}`),
  unknown: Buffer.from(`0|H0XXXXX0|001|${NARROW}`),
  'no-payload': Buffer.from('0|H0STCNT0'),
  undecryptable: Buffer.from('1|H0STCNT0|001|bm90IGVuY3J5cHRlZA=='),
  'invalid-utf8': Buffer.concat([Buffer.from(TRADE), Buffer.from([0xb0, 0xa1, 0xff, 0x5e, 0xc3])]),
};

/** @throws {MarketDataError} `CONFIG_INVALID` for a kind that is not known */
export function brokenFrame(kind = 'text'): Uint8Array {
  const frame = Object.hasOwn(BROKEN, kind) ? BROKEN[kind] : undefined;
  if (frame !== undefined) return frame;
  throw new MarketDataError(
    'CONFIG_INVALID',
    `a data frame cannot be broken as ${JSON.stringify(kind)}; expected ${Object.keys(BROKEN).join(', ')}`,
  );
}
