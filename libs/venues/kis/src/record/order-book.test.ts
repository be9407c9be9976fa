import { describe, expect, it } from 'vitest';
import { BOOK_AUCTION, BOOK_FULL } from '../../test/captured.js';
import {
  BOOK,
  BOOK_IN_AUCTION,
  bookFrame,
  bookOf,
  frameOf,
  RECEIVED_AT,
  recordsOf,
  rejectionError,
  widened,
} from '../../test/reading.js';
import { BOOK as AT } from '../layout/order-book.js';

function level(price: string, quantity: string) {
  return { price, quantity };
}

describe('KIS order books', () => {
  it('read ten levels a side and the totals', () => {
    expect(bookOf(BOOK_FULL)).toEqual({
      kind: 'orderbook',
      exchange: 'kis',
      symbol: '066570',
      asks: [
        level('99100', '1244'),
        level('99200', '1096'),
        level('99300', '775'),
        level('99400', '2090'),
        level('99500', '3584'),
        level('99600', '2831'),
        level('99700', '4081'),
        level('99800', '4526'),
        level('99900', '5637'),
        level('100000', '7314'),
      ],
      bids: [
        level('98900', '1108'),
        level('98800', '4129'),
        level('98700', '4670'),
        level('98600', '2050'),
        level('98500', '1665'),
        level('98400', '995'),
        level('98300', '3837'),
        level('98200', '678'),
        level('98100', '1288'),
        level('98000', '4068'),
      ],
      timestamp: BigInt(Date.UTC(2026, 8, 14, 3, 15, 23)) * 1_000_000n,
      receivedTimestamp: RECEIVED_AT,
      streamType: 'REALTIME',
      totalAskQuantity: '33178',
      totalBidQuantity: '24488',
    });
  });

  it('drop the zeros of the closing auction and keep its totals of 0 as printed', () => {
    expect(bookOf(BOOK_AUCTION)).toMatchObject({
      symbol: '233740',
      asks: [level('8960', '29'), level('8965', '636'), level('8970', '684')],
      bids: [level('8955', '1070'), level('8950', '14889'), level('8945', '10942')],
      timestamp: BigInt(Date.UTC(2026, 8, 14, 6, 28, 9)) * 1_000_000n,
      totalAskQuantity: '0',
      totalBidQuantity: '0',
    });
  });

  it.each([
    ['H0STASP0', [59, 62, 63, 64, 70]],
    ['H0UNASP0', [59, 65, 66, 71]],
    ['H0NXASP0', [59, 62, 65, 66]],
  ])('of %s read alike in all widths', (trId, widths) => {
    const books = widths.map((width) => bookOf(frameOf(trId, [widened(BOOK, width)])));
    for (const book of books) expect(book).toEqual(bookOf(BOOK_FULL));
  });

  it('drop levels whose price or quantity is missing', () => {
    for (const missing of ['', '(null)', '0']) {
      expect(bookOf(bookFrame({ [AT.ASKP10]: missing })).asks).toHaveLength(9);
      expect(bookOf(bookFrame({ [AT.ASKP_RSQN1]: missing })).asks[0]).toEqual(level('99200', '1096'));
    }
  });

  it.each(['', '(null)'])('read alike where a code or the expected change is %j', (missing) => {
    const unread = [AT.HOUR_CLS_CODE, AT.ANTC_CNPR, AT.ANTC_CNTG_VRSS, AT.ANTC_CNTG_VRSS_SIGN, AT.ANTC_CNTG_PRDY_CTRT];
    const book = bookOf(bookFrame(Object.fromEntries(unread.map((index) => [index, missing]))));
    expect(book).toEqual(bookOf(BOOK_FULL));
  });

  it('leave missing totals absent', () => {
    const book = bookOf(bookFrame({ [AT.TOTAL_ASKP_RSQN]: '', [AT.TOTAL_BIDP_RSQN]: '(null)' }));
    expect(book).toMatchObject({ totalAskQuantity: undefined, totalBidQuantity: undefined });
  });

  it('pass when bid and ask cross, as they do in auctions', () => {
    expect(bookOf(bookFrame({ [AT.BIDP1]: '99150' })).bids[0]).toEqual(level('99150', '1108'));
  });

  it.each([
    [AT.ASKP2, '99100', 'VALIDATION_ORDERBOOK', 'ask 1 at 99100 follows 99100; asks must ascend'],
    [AT.BIDP2, '98950', 'VALIDATION_ORDERBOOK', 'bid 1 at 98950 follows 98900; bids must descend'],
    [AT.ASKP1, '-1', 'VALIDATION_ORDERBOOK', 'ask 0 has price -1'],
    [AT.BIDP_RSQN3, '1.5', 'VALIDATION_FRAME', 'BIDP_RSQN3 is "1.5"'],
    [AT.ASKP3, '9a', 'VALIDATION_DECIMAL', 'ASKP3: not a decimal: "9a"'],
    [AT.BSOP_HOUR, '126000', 'VALIDATION_TIME', 'expected HHMMSS'],
    [AT.HOUR_CLS_CODE, '99100', 'VALIDATION_FRAME', 'HOUR_CLS_CODE is "99100"'],
  ])('are refused when field %i is %j', (index, value, code, message) => {
    const error = rejectionError(bookFrame({ [index]: value }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it('are refused when a field from the class code to the expected change is lost or doubled, whatever the width', () => {
    for (const book of [widened(BOOK, 63), widened(BOOK_IN_AUCTION, 63)]) {
      for (let index: number = AT.HOUR_CLS_CODE; index < AT.ANTC_CNTG_VRSS_SIGN; index += 1) {
        const lost = book.toSpliced(index, 1);
        const doubled = book.toSpliced(index, 0, book[index] as string);
        for (const fields of [lost, doubled]) {
          expect(recordsOf(frameOf('H0STASP0', [fields])), `field ${index}`).toMatchObject([{ outcome: 'rejected' }]);
        }
      }
    }
  });
});
