import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Spellings of one kind of number as the wire uses them; all digits must survive. */
const PRICES = ['1.16539E8', '127.0', '0.00000113', '6E-8', '9.101e-05', '25752275.55420627', '123.00000000'];
const SIZES = ['0.00509799', '7.9276E-4', '46.48838371', '1', '3416.89061628', '0.00077720'];
const CODES = ['KRW-BTC', 'KRW-ETH', 'BTC-ITAM', 'USDT-BTC'];
const FIRST_TIME = Date.UTC(2025, 5, 30, 23, 59, 0);

/** One recorded line: trades and books in turn, DEFAULT and SIMPLE, ids beyond 2^53. */
export function frame(index: number): string {
  const code = CODES[index % CODES.length];
  const time = FIRST_TIME + index * 40;
  const price = PRICES[index % PRICES.length];
  const size = SIZES[index % SIZES.length];
  if (index % 5 === 4) return book(code, time, index);
  const id = `${time}${String(index % 10_000).padStart(4, '0')}`;
  return index % 2 === 0
    ? `{"type":"trade","code":"${code}","timestamp":${time + 90},"trade_timestamp":${time},"trade_price":${price},"trade_volume":${size},"ask_bid":"ASK","prev_closing_price":1.0,"change":"FALL","change_price":${size},"sequential_id":${id},"stream_type":"REALTIME"}`
    : `{"sid":${id},"ty":"trade","cd":"${code}","tms":${time + 90},"ttms":${time},"tp":${price},"tv":${size},"ab":"BID","pcp":1.0,"c":"RISE","cp":${price},"st":"REALTIME"}`;
}

function book(code: string | undefined, time: number, index: number): string {
  const units = Array.from({ length: 15 }, (_, level) => {
    const padding = level > 12 && index % 2 === 0;
    return padding
      ? '{"ap":0,"bp":0,"as":0,"bs":0}'
      : `{"ap":${1000 + level}.5,"bp":${999 - level}.25,"as":${SIZES[level % SIZES.length]},"bs":${level + 1}E-3}`;
  });
  return `{"ty":"orderbook","cd":"${code}","tms":${time},"tas":2.5146937500,"tbs":1.63815297,"obu":[${units.join(',')}],"st":"REALTIME"}`;
}

export interface Recording {
  readonly path: string;
  readonly trades: number;
  readonly books: number;
}

/** Writes `count` frames, 40 ms apart, over an hour's and a day's end. `change` may spoil a line. */
export function writeRecording(
  folder: string,
  count: number,
  change: (line: string, index: number) => string = (line) => line,
): Recording {
  const lines = Array.from({ length: count }, (_, index) => {
    const received = BigInt(FIRST_TIME + index * 40 + 200) * 1_000_000n;
    return change(JSON.stringify({ venue: 'upbit', received_at_ns: String(received), frame: frame(index) }), index);
  });
  const path = join(folder, `recording-${count}.jsonl`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  const books = Math.floor(count / 5);
  return { path, trades: count - books, books };
}
