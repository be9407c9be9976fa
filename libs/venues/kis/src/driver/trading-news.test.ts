import { describe, expect, it } from 'vitest';
import { OPERATION_KRX } from '../../test/captured.js';
import { frameOf, payloadOf, recordsOf, withFields } from '../../test/reading.js';
import { OPERATION as AT } from '../layout/market-operation.js';
import { tradingNews } from './trading-news.js';

const QUIET = { [AT.ANTC_MKOP_CLS_CODE]: '' };

function newsOf(replaced: Readonly<Record<number, string>>) {
  const [record] = recordsOf(frameOf('H0STMKO0', [withFields(payloadOf(OPERATION_KRX), replaced)]));
  return record?.outcome === 'operation'
    ? tradingNews(record.operation)
    : expect.unreachable(`read as ${record?.outcome}`);
}

describe('the words for a market operation', () => {
  it.each([
    [{}, false, 'opening expected start (311)'],
    [QUIET, false, 'trades as usual'],
    [{ ...QUIET, [AT.TRHT_YN]: 'Y' }, true, 'halted'],
    [{ ...QUIET, [AT.TRHT_YN]: 'Y', [AT.TR_SUSP_REAS_CNTT]: '풍문 조회' }, true, 'halted: 풍문 조회'],
    [{ ...QUIET, [AT.VI_CLS_CODE]: 'Y' }, false, 'volatility interruption'],
    [{ ...QUIET, [AT.OVTM_VI_CLS_CODE]: 'Y' }, false, 'volatility interruption of the after-market'],
    [{ ...QUIET, [AT.MKOP_CLS_CODE]: '174' }, true, 'circuit breaker start (174)'],
    [{ ...QUIET, [AT.MKOP_CLS_CODE]: '175' }, false, 'circuit breaker end (175)'],
    [{ ...QUIET, [AT.MKOP_CLS_CODE]: 'AB1' }, false, 'operation AB1'],
    [{ [AT.MKOP_CLS_CODE]: 'F01' }, false, 'opening expected start (311)'],
  ])('%j: halted %s, %s', (fields, isHalted, detail) => {
    expect(newsOf(fields)).toEqual({ symbol: '396300', isHalted, detail });
  });

  it('are none for a countdown', () => {
    expect(newsOf({ ...QUIET, [AT.MKOP_CLS_CODE]: 'P18' })).toBeUndefined();
  });
});
