/** A Markdown table that reads well as text. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...rows]
    .map((cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}

/** Counts as they are, the rest with one digit behind the point below a hundred. */
export function shown(value: number): string {
  if (Number.isNaN(value)) return '';
  if (value === Infinity) return 'beyond';
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
}
