import { rejectedOf, type Ready, type Status, type Summary, type VenueReady, type VenueSummary } from './report.js';

/** Where results go. Logs go elsewhere: standard output carries nothing but these. */
export interface Printer {
  ready(report: Ready): void;
  status(report: Status): void;
  summary(report: Summary, imbalances: readonly string[]): void;
}

export function jsonPrinter(write: (text: string) => void): Printer {
  const line = (report: Ready | Status | Summary) => {
    write(`${JSON.stringify(report)}\n`);
  };
  return { ready: line, status: line, summary: (report) => line(report) };
}

/** One line a second for people, and at both ends what they need to know. */
export function terminalPrinter(write: (text: string) => void, holds: boolean): Printer {
  return {
    ready: (report) => {
      const venues = Object.entries(report.venues).map(venueLine);
      write(['', ...venues, '', ...connecting(report), ''].map((text) => `${text}\n`).join(''));
    },
    status: (report) => {
      write(`${statusLine(report)}\n`);
    },
    summary: (report, imbalances) => {
      write(summaryText(report, imbalances));
      if (holds) write('The database stays up: press Ctrl-C to end.\n');
    },
  };
}

const KINDS = { live: 'real', market: 'simulated, trades at any hour', frames: 'recorded' } as const;

function venueLine([id, { url, symbols, connections, source }]: readonly [string, VenueReady]): string {
  const spread = connections === 1 ? '' : ` by ${connections} connections`;
  return `  ${id.padEnd(8)}  ${some(symbols)} at ${url}${spread} (${KINDS[source]})`;
}

function connecting(report: Ready): string[] {
  return [
    `  database  psql ${report.database_url}`,
    `  lake      ${report.lake_dir} (Parquet)`,
    `  data      ${report.data_dir}`,
  ];
}

function some(symbols: readonly string[]): string {
  const shown = symbols.slice(0, 6).join(', ');
  return symbols.length > 6 ? `${shown} and ${symbols.length - 6} more` : shown;
}

function statusLine(report: Status): string {
  const venues = Object.entries(report.venues).map(
    ([id, { state, rate, silent, halted, market_closed, waits_for }]) => {
      const remarks = [
        market_closed === true ? 'market closed' : '',
        halted === undefined ? '' : `halted: ${some(halted)}`,
        waits_for === undefined ? '' : `waits: ${waits_for.join('; ')}`,
        silent === undefined || market_closed === true ? '' : `silent: ${some(silent)}`,
      ].filter((remark) => remark !== '');
      return `${id} ${state.toLowerCase()} ${number(rate)}/s${remarks.length === 0 ? '' : ` (${remarks.join('; ')})`}`;
    },
  );
  const { hot, cold, lag } = report;
  return [
    ...venues,
    `published ${number(report.published)}`,
    `database ${number(hot.tick)} ticks ${number(hot.orderbook)} books, lag ${number(lag.hot)}`,
    `lake ${number(cold.rows)} rows ${number(cold.files)} files, lag ${number(lag.cold)}`,
    `${report.rss_mb} MB`,
  ].join(' | ');
}

function summaryText(report: Summary, imbalances: readonly string[]): string {
  const { hot, cold } = report;
  const recovered = (count: number) =>
    count === 0 ? '' : `, of all these ${number(count)} left over from an earlier run`;
  const lines = [
    '',
    `received   ${number(report.received)} records in ${number(report.frames)} frames, ${report.duration_s} s`,
    ...Object.entries(report.venues).map(venueSums),
    `published  ${number(report.published)}, conflated ${number(report.conflated)}, rejected ${number(rejectedOf(report))}, gaps ${number(report.gaps)}`,
    `database   ${number(hot.tick)} ticks, ${number(hot.orderbook)} books, ${number(hot.duplicates)} duplicates${recovered(hot.recovered)}`,
    `lake       ${number(cold.rows)} rows in ${number(cold.files)} files, ${number(cold.bytes)} bytes${recovered(cold.recovered)}`,
    report.ok ? 'all counts add up' : `DOES NOT ADD UP: ${imbalances.join('; ')}`,
  ];
  return lines.map((text) => `${text}\n`).join('');
}

function venueSums([id, venue]: readonly [string, VenueSummary]): string {
  const { tick, orderbook, ignored, repeated, rejected, reconnects, gaps, missed_volume, halts } = venue;
  const causes = Object.entries(gaps).map(([cause, count]) => `${number(count)} ${cause}`);
  const unusual = [
    [repeated, `${number(repeated)} repeated`],
    [ignored, `${number(ignored)} ignored`],
    [rejected, `${number(rejected)} rejected`],
    [reconnects, `${number(reconnects)} reconnects`],
    [causes.length, `gaps: ${causes.join(', ')}`],
    [halts, `${number(halts)} halts`],
    [missed_volume === '0' ? 0 : 1, `missed volume ${missed_volume}`],
  ] as const;
  const remarks = unusual.flatMap(([count, text]) => (count === 0 ? [] : [text]));
  return `  ${id.padEnd(8)} ${[`${number(tick)} trades`, `${number(orderbook)} books`, ...remarks].join(', ')}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
