import type { Nanoseconds } from '@aipx/market-model';
import { OPERATION } from '../layout/market-operation.js';
import type { Segment } from '../layout/streams.js';
import { EXCHANGE } from './exchange.js';
import { unreadable, type RecordFields } from './fields.js';

/** What a market-operation code says. `other`: a code that has no published meaning here. */
export type OperationKind =
  | 'circuit-breaker-start'
  | 'circuit-breaker-end'
  | 'sidecar-start'
  | 'sidecar-end'
  | 'countdown'
  | 'opening-expected-start'
  | 'opening-expected-end'
  | 'closing-expected-start'
  | 'closing-expected-end'
  | 'other';

export interface OperationCode {
  readonly code: string;
  readonly kind: OperationKind;
}

/** A halt, an interruption for volatility (VI) or a change of session, of one symbol. The record has no time of its own. */
export interface MarketOperation {
  readonly kind: 'operation';
  readonly exchange: string;
  readonly symbol: string;
  readonly segment: Segment;
  readonly halted: boolean;
  /** The venue's own words. */
  readonly haltReason: string | undefined;
  readonly operation: OperationCode | undefined;
  /** Phases in which expected executions are published. */
  readonly expected: OperationCode | undefined;
  /** Whether a VI holds, in regular and in after-market trading. Absent where the venue does not print it. */
  readonly volatilityInterruption: boolean | undefined;
  readonly afterMarketInterruption: boolean | undefined;
  readonly receivedTimestamp: Nanoseconds;
}

const KINDS: ReadonlyMap<string, OperationKind> = new Map([
  ['112', 'opening-expected-end'],
  ['121', 'closing-expected-start'],
  ['129', 'closing-expected-end'],
  ['311', 'opening-expected-start'],
  ['174', 'circuit-breaker-start'],
  ['184', 'circuit-breaker-start'],
  ['175', 'circuit-breaker-end'],
  ['185', 'circuit-breaker-end'],
  ['387', 'sidecar-start'],
  ['397', 'sidecar-start'],
  ['388', 'sidecar-end'],
  ['398', 'sidecar-end'],
]);
/** F01 to F18 and P01 to P18. */
const COUNTDOWN = /^[FP](0[1-9]|1[0-8])$/;

/**
 * `396300^N^(null)^^311^^^55^N^N`: the official samples list eleven fields, this capture has ten.
 *
 * @throws {MarketDataError} `VALIDATION_FRAME`, naming the field
 */
export function readMarketOperation(
  fields: RecordFields,
  symbol: string,
  segment: Segment,
  receivedAt: Nanoseconds,
): MarketOperation {
  const halted = readFlag(fields, OPERATION.TRHT_YN, 'TRHT_YN');
  if (halted === undefined) throw unreadable('TRHT_YN', fields.text(OPERATION.TRHT_YN), 'Y or N');
  return {
    kind: 'operation',
    exchange: EXCHANGE,
    symbol,
    segment,
    halted,
    haltReason: fields.optionalText(OPERATION.TR_SUSP_REAS_CNTT),
    operation: readCode(fields.optionalText(OPERATION.MKOP_CLS_CODE)),
    expected: readCode(fields.optionalText(OPERATION.ANTC_MKOP_CLS_CODE)),
    volatilityInterruption: readFlag(fields, OPERATION.VI_CLS_CODE, 'VI_CLS_CODE'),
    afterMarketInterruption: readFlag(fields, OPERATION.OVTM_VI_CLS_CODE, 'OVTM_VI_CLS_CODE'),
    receivedTimestamp: receivedAt,
  };
}

function readFlag(fields: RecordFields, index: number, name: string): boolean | undefined {
  const flag = fields.optionalText(index);
  if (flag === undefined || flag === 'Y' || flag === 'N') return flag === undefined ? undefined : flag === 'Y';
  throw unreadable(name, flag, 'Y or N');
}

function readCode(code: string | undefined): OperationCode | undefined {
  if (code === undefined) return undefined;
  return { code, kind: KINDS.get(code) ?? (COUNTDOWN.test(code) ? 'countdown' : 'other') };
}
