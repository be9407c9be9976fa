import { describe, expect, it } from 'vitest';
import { bookFields, type BookFacts } from './book-frame.js';
import type { Level } from './book.js';
import { envelope, fitted } from './envelope.js';
import { operationFields } from './operation-frame.js';

// Published captures, 59 fields wide.
const IN_SESSION =
  '0|H0STASP0|001|066570^121523^0^99100^99200^99300^99400^99500^99600^99700^99800^99900^100000^98900^98800^98700^98600^98500^98400^98300^98200^98100^98000^1244^1096^775^2090^3584^2831^4081^4526^5637^7314^1108^4129^4670^2050^1665^995^3837^678^1288^4068^33178^24488^0^0^0^0^6134^-97200^5^-100.00^354177^0^3930^0^0^0';
const IN_CLOSING_AUCTION =
  '0|H0STASP0|001|233740^152809^A^8960^8965^8970^0^0^0^0^0^0^0^8955^8950^8945^0^0^0^0^0^0^0^29^636^684^0^0^0^0^0^0^0^1070^14889^10942^0^0^0^0^0^0^0^0^0^0^0^8955^229477^229477^180^2^2.05^12263346^0^0^0^0^0';

const levels = (prices: readonly number[], sizes: readonly number[]): readonly Level[] =>
  prices.map((price, at) => ({ price, size: sizes[at] ?? 0 }));

const FACTS_IN_SESSION: BookFacts = {
  code: '066570',
  time: '121523',
  hourClass: '0',
  asks: levels(
    [99_100, 99_200, 99_300, 99_400, 99_500, 99_600, 99_700, 99_800, 99_900, 100_000],
    [1244, 1096, 775, 2090, 3584, 2831, 4081, 4526, 5637, 7314],
  ),
  bids: levels(
    [98_900, 98_800, 98_700, 98_600, 98_500, 98_400, 98_300, 98_200, 98_100, 98_000],
    [1108, 4129, 4670, 2050, 1665, 995, 3837, 678, 1288, 4068],
  ),
  totalAsk: 33_178,
  totalBid: 24_488,
  expected: undefined,
  expectedVolume: 6_134,
  previousClose: 97_200,
  volume: 354_177,
  totalAskChange: 0,
  totalBidChange: 3_930,
  marketClass: '2',
};

const FACTS_IN_AUCTION: BookFacts = {
  code: '233740',
  time: '152809',
  hourClass: 'A',
  asks: levels([8_960, 8_965, 8_970], [29, 636, 684]),
  bids: levels([8_955, 8_950, 8_945], [1_070, 14_889, 10_942]),
  totalAsk: 0,
  totalBid: 0,
  expected: { price: 8_955, size: 229_477 },
  expectedVolume: 229_477,
  previousClose: 8_775,
  volume: 12_263_346,
  totalAskChange: 0,
  totalBidChange: 0,
  marketClass: '2',
};

describe('a book record', () => {
  it.each([
    ['in session', FACTS_IN_SESSION, IN_SESSION],
    ['in the closing auction', FACTS_IN_AUCTION, IN_CLOSING_AUCTION],
  ])('is spelled as the captured one %s, field by field', (_, facts, captured) => {
    const frame = envelope('H0STASP0', [fitted(bookFields(facts, 'KRX', 59, ''), 59)]).toString();
    expect(frame.split('^')).toEqual(captured.split('^'));
  });

  it('has the tail of its segment behind the 59 fields', () => {
    const tail = (segment: 'KRX' | 'NXT' | 'UN', width: number): readonly string[] =>
      fitted(bookFields(FACTS_IN_SESSION, segment, width, ''), width).slice(59);
    expect(tail('KRX', 62)).toEqual(['99000', '0', '']);
    expect(tail('KRX', 63)).toEqual(['99000', '0', '', '2']);
    expect(tail('UN', 66)).toEqual(['99000', '0', '', '99000', '0', '', '1']);
    expect(tail('NXT', 62)).toEqual(['99000', '0', '']);
    expect(tail('NXT', 65)).toEqual(['99000', '0', '', '99000', '0', '']);
  });
});

describe('a market-operation record', () => {
  it('is spelled as the captured one, its last documented value absent', () => {
    const operation = { second: 30_600, halted: false, interrupted: false, auction: '311' };
    expect(envelope('H0STMKO0', [operationFields('396300', operation)]).toString()).toBe(
      '0|H0STMKO0|001|396300^N^(null)^^311^^^55^N^N',
    );
  });
});
