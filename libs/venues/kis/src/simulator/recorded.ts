import { TRANSACTIONS } from './transactions.js';

const DATA = new Set(
  [...TRANSACTIONS.values()].flatMap(({ id, content }) => (content === 'tick' || content === 'orderbook' ? [id] : [])),
);

/** Whether a recorded frame is a trade or a book; everything else is protocol talk. */
export function isData(frame: string): boolean {
  const [flag, transaction = ''] = frame.split('|', 2);
  return (flag === '0' || flag === '1') && DATA.has(transaction);
}

/** The codes in a recorded frame; empty when it is encrypted or cannot be read. */
export function symbolsIn(frame: string): readonly string[] {
  const [flag, , count, ...rest] = frame.split('|');
  if (flag !== '0') return [];
  const fields = rest.join('|').split('^');
  const width = fields.length / Number(count);
  if (!Number.isInteger(width) || width < 1) return [];
  return [...new Set(fields.filter((_, at) => at % width === 0))];
}
