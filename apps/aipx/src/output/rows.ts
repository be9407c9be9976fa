import type { SqlTable, SqlValue } from '@aipx/inspection';

export const FORMATS = ['table', 'csv', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** Rows as text: a table for people, CSV (RFC 4180) with a header, or one JSON object a line. NULL is empty, in JSON null. */
export function formatted({ columns, rows }: SqlTable, format: Format): string {
  switch (format) {
    case 'json':
      return rows
        .map((row) => `${JSON.stringify(Object.fromEntries(columns.map((name, at) => [name, row[at] ?? null])))}\n`)
        .join('');
    case 'csv':
      return [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\n`).join('');
    case 'table':
      return table(
        columns,
        rows.map((row) => row.map(text)),
      );
  }
}

/** Columns as wide as their widest value; numbers to the right. */
export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((name, at) =>
    rows.reduce((width, row) => Math.max(width, row[at]?.length ?? 0), name.length),
  );
  const isNumber = columns.map((_, at) => rows.length > 0 && rows.every((row) => /^-?[\d,.]*$/.test(row[at] ?? '')));
  const line = (row: readonly string[]) =>
    `${row
      .map((value, at) => (isNumber[at] ? value.padStart(widths[at] ?? 0) : value.padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()}\n`;
  return [columns, ...rows].map(line).join('');
}

function text(value: SqlValue): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function csvField(value: SqlValue): string {
  const field = text(value);
  return /[",\n\r]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
