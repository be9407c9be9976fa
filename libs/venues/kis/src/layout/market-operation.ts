import { fieldIndexes } from './layout.js';

/**
 * Fields of a market-operation record (`H0STMKO0`, `H0NXMKO0`, `H0UNMKO0`; official samples). Live frames carry the first
 * ten or all eleven. The official list for `H0UNMKO0` leaves the symbol out; live frames begin with it all the same.
 */
export const OPERATION_FIELDS = [
  'MKSC_SHRN_ISCD',
  'TRHT_YN',
  'TR_SUSP_REAS_CNTT',
  'MKOP_CLS_CODE',
  'ANTC_MKOP_CLS_CODE',
  'MRKT_TRTM_CLS_CODE',
  'DIVI_APP_CLS_CODE',
  'ISCD_STAT_CLS_CODE',
  'VI_CLS_CODE',
  'OVTM_VI_CLS_CODE',
  'EXCH_CLS_CODE',
] as const;

export const OPERATION = fieldIndexes(OPERATION_FIELDS);
