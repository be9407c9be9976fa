import { toEpochMicros, type Level, type MarketEvent } from '@aipx/market-model';
import { FIELD_END, NULL_FIELD } from '@aipx/timescale';

type Kind = MarketEvent['kind'];

/*
 * A row as one text, so that equal rows are equal texts: fields parted by FIELD_END, NULL as NULL_FIELD, numbers as
 * decimal text. The database's fields come first, then those that only the lake has. Of every kind the first field is
 * the event's time, the third the exchange, the fourth the symbol.
 */

/** As the database has them. */
const DATABASE_FIELDS = {
  tick: ['time', 'received_at', 'exchange', 'symbol', 'price', 'volume', 'change', 'change_rate', 'side', 'trade_id'],
  orderbook: ['time', 'received_at', 'exchange', 'symbol', 'bids', 'asks', 'total_bid_quantity', 'total_ask_quantity'],
  gap: ['to_time', 'from_time', 'exchange', 'symbol', 'channel', 'cause', 'missed', 'missed_volume', 'detail'],
} as const satisfies Record<Kind, readonly string[]>;

const LAKE_FIELDS: Readonly<Record<Kind, readonly string[]>> = {
  tick: [...DATABASE_FIELDS.tick, 'time_ns', 'received_ns'],
  orderbook: [...DATABASE_FIELDS.orderbook, 'time_ns', 'received_ns'],
  gap: DATABASE_FIELDS.gap,
};

/** The row that the database must have for an event. */
export function databaseLine(event: MarketEvent): string {
  switch (event.kind) {
    case 'tick':
      return (
        `${toEpochMicros(event.timestamp)}${FIELD_END}${toEpochMicros(event.receivedTimestamp)}${FIELD_END}` +
        `${event.exchange}${FIELD_END}${event.symbol}${FIELD_END}${event.price}${FIELD_END}${event.volume}${FIELD_END}` +
        `${event.change ?? NULL_FIELD}${FIELD_END}${event.changeRate ?? NULL_FIELD}${FIELD_END}` +
        `${event.side ?? NULL_FIELD}${FIELD_END}${event.tradeId}`
      );
    case 'orderbook':
      return (
        `${toEpochMicros(event.timestamp)}${FIELD_END}${toEpochMicros(event.receivedTimestamp)}${FIELD_END}` +
        `${event.exchange}${FIELD_END}${event.symbol}${FIELD_END}${levels(event.bids)}${FIELD_END}${levels(event.asks)}` +
        `${FIELD_END}${event.totalBidQuantity ?? NULL_FIELD}${FIELD_END}${event.totalAskQuantity ?? NULL_FIELD}`
      );
    case 'gap':
      return [
        toEpochMicros(event.to),
        event.from === 0n ? NULL_FIELD : toEpochMicros(event.from),
        event.exchange,
        event.symbol,
        event.channel ?? NULL_FIELD,
        event.cause ?? NULL_FIELD,
        event.missed,
        event.missedVolume ?? NULL_FIELD,
        event.detail,
      ].join(FIELD_END);
  }
}

/** The row that the lake must have for an event, given the one that the database must have. */
export function lakeLine(event: MarketEvent, ofDatabase: string): string {
  return event.kind === 'gap'
    ? ofDatabase
    : `${ofDatabase}${FIELD_END}${event.timestamp}${FIELD_END}${event.receivedTimestamp}`;
}

/** Of a row of the lake, what the database has too. */
export function databasePart(kind: Kind, line: string): string {
  if (kind === 'gap') return line;
  return line.slice(0, line.lastIndexOf(FIELD_END, line.lastIndexOf(FIELD_END) - 1));
}

/** When the event of a row happened, nanoseconds of whole microseconds. */
export function timeOf(line: string): bigint {
  return BigInt(line.slice(0, line.indexOf(FIELD_END))) * 1000n;
}

/** One field of a row by its name; `undefined` for NULL. */
export function fieldOf(kind: Kind, line: string, name: string): string | undefined {
  const value = line.split(FIELD_END)[LAKE_FIELDS[kind].indexOf(name)];
  return value === NULL_FIELD ? undefined : value;
}

/** What differs, for people: `price 1.5, expected 1.4; volume …`. */
export function differenceText(kind: Kind, found: string, expected: string): string {
  const [has, should] = [found.split(FIELD_END), expected.split(FIELD_END)];
  return LAKE_FIELDS[kind]
    .flatMap((name, index) => {
      const [a, b] = [has[index], should[index]];
      if (a === b) return [];
      return a?.startsWith('[{') && b?.startsWith('[{')
        ? levelDifferences(name, a, b)
        : [`${name} ${shown(a)}, expected ${shown(b)}`];
    })
    .join('; ');
}

const LONGEST_SHOWN = 120;

function shown(field: string | undefined): string {
  if (field === undefined || field === NULL_FIELD) return 'NULL';
  return field.length > LONGEST_SHOWN ? `${field.slice(0, LONGEST_SHOWN)}…` : field;
}

function levelDifferences(name: string, found: string, expected: string): string[] {
  const [has, should] = [found, expected].map((side) => side.slice(1, -1).split(/(?<=\}), /));
  const most = Math.max(has?.length ?? 0, should?.length ?? 0);
  const differing = Array.from({ length: most }, (_, index) => index).filter(
    (index) => has?.[index] !== should?.[index],
  );
  const [first = 0] = differing;
  const more = differing.length > 1 ? ` and ${differing.length - 1} more levels` : '';
  return [`${name}[${first}] ${has?.[first] ?? 'absent'}, expected ${should?.[first] ?? 'absent'}${more}`];
}

/** As PostgreSQL prints `jsonb`. */
function levels(side: readonly Level[]): string {
  let text = '[';
  for (const { price, quantity } of side) {
    text += `${text === '[' ? '' : ', '}{"price": "${price}", "quantity": "${quantity}"}`;
  }
  return `${text}]`;
}
