import type { TradingNews } from '@aipx/venue';
import type { MarketOperation, OperationCode } from '../record/market-operation.js';

/** What an operation says in words; `undefined` for the countdowns before openings and closings, 18 a symbol each. */
export function tradingNews(told: MarketOperation): TradingNews | undefined {
  const { symbol, halted, haltReason, operation, expected } = told;
  const isHalted = halted || operation?.kind === 'circuit-breaker-start';
  const words = [
    halted ? `halted${haltReason === undefined ? '' : `: ${haltReason}`}` : '',
    told.volatilityInterruption === true ? 'volatility interruption' : '',
    told.afterMarketInterruption === true ? 'volatility interruption of the after-market' : '',
    inWords(operation),
    inWords(expected),
  ].filter((word) => word !== '');
  if (words.length > 0) return { symbol, isHalted, detail: words.join(', ') };
  return operation?.kind === 'countdown' ? undefined : { symbol, isHalted, detail: 'trades as usual' };
}

function inWords(code: OperationCode | undefined): string {
  if (code === undefined || code.kind === 'countdown') return '';
  return code.kind === 'other' ? `operation ${code.code}` : `${code.kind.replaceAll('-', ' ')} (${code.code})`;
}
