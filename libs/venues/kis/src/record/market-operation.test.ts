import { describe, expect, it } from 'vitest';
import { OPERATION_KRX, OPERATION_UN } from '../../test/captured.js';
import { frameOf, payloadOf, RECEIVED_AT, recordsOf, rejectionError, withFields } from '../../test/reading.js';
import { OPERATION as AT } from '../layout/market-operation.js';

function operationOf(frame: string) {
  const [record] = recordsOf(frame);
  return record?.outcome === 'operation' ? record.operation : expect.unreachable(`read as ${record?.outcome}`);
}

function operation(replaced: Readonly<Record<number, string>>): string {
  return frameOf('H0STMKO0', [withFields(payloadOf(OPERATION_KRX), replaced)]);
}

describe('KIS market operations', () => {
  it('read the captured start of expected executions before the opening', () => {
    expect(operationOf(OPERATION_KRX)).toEqual({
      kind: 'operation',
      exchange: 'kis',
      symbol: '396300',
      segment: 'KRX',
      halted: false,
      haltReason: undefined,
      operation: undefined,
      expected: { code: '311', kind: 'opening-expected-start' },
      volatilityInterruption: false,
      afterMarketInterruption: false,
      receivedTimestamp: RECEIVED_AT,
    });
  });

  it('read the captured unified record, whose symbol the official list leaves out', () => {
    expect(operationOf(OPERATION_UN)).toMatchObject({
      symbol: '100840',
      segment: 'UN',
      operation: { code: 'AB1', kind: 'other' },
      expected: { code: '112', kind: 'opening-expected-end' },
      afterMarketInterruption: undefined,
    });
  });

  it('read alike with the eleventh field', () => {
    expect(operationOf(frameOf('H0STMKO0', [[...payloadOf(OPERATION_KRX), '1']]))).toEqual(operationOf(OPERATION_KRX));
  });

  it('read a halt with the venue’s words and a volatility interruption', () => {
    const halt = operation({ [AT.TRHT_YN]: 'Y', [AT.TR_SUSP_REAS_CNTT]: '풍문 조회', [AT.VI_CLS_CODE]: 'Y' });
    expect(operationOf(halt)).toMatchObject({ halted: true, haltReason: '풍문 조회', volatilityInterruption: true });
  });

  it.each([
    ['174', 'circuit-breaker-start'],
    ['184', 'circuit-breaker-start'],
    ['175', 'circuit-breaker-end'],
    ['185', 'circuit-breaker-end'],
    ['387', 'sidecar-start'],
    ['397', 'sidecar-start'],
    ['388', 'sidecar-end'],
    ['398', 'sidecar-end'],
    ['F01', 'countdown'],
    ['P18', 'countdown'],
    ['F19', 'other'],
    ['constructor', 'other'],
  ])('of code %s are a %s', (code, kind) => {
    expect(operationOf(operation({ [AT.MKOP_CLS_CODE]: code })).operation).toEqual({ code, kind });
  });

  it.each([
    ['121', 'closing-expected-start'],
    ['129', 'closing-expected-end'],
  ])('expect executions: %s is %s', (code, kind) => {
    expect(operationOf(operation({ [AT.ANTC_MKOP_CLS_CODE]: code })).expected).toEqual({ code, kind });
  });

  it.each([
    [AT.TRHT_YN, '1', 'TRHT_YN is "1"; expected Y or N'],
    [AT.TRHT_YN, '(null)', 'TRHT_YN is "(null)"; expected Y or N'],
    [AT.VI_CLS_CODE, '55', 'VI_CLS_CODE is "55"; expected Y or N'],
  ])('are refused when field %i is %j', (index, value, message) => {
    expect(rejectionError(operation({ [index]: value })).message).toContain(message);
  });
});
