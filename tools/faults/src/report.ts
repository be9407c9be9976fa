import { sumOf, type Verdict } from './check/check.ts';
import type { Options } from './options.ts';
import type { RunResult } from './run.ts';
import type { Step } from './schedule.ts';
import { WIRE_FAULTS } from './wire-faults.ts';

/** All of it was done, and nothing was lost, doubled, or otherwise found. */
export function isSound({ kills, findings, verdicts }: RunResult, steps: readonly Step[]): boolean {
  const asked = steps.filter(({ does }) => does === 'kill').length;
  const { lost, doubled, wrong } = lastSums(verdicts);
  return verdicts.length > 0 && lost + doubled + wrong + findings.total === 0 && kills.total === asked;
}

/** Tables of what was done, then the findings, then the verdict. */
export function reportText(result: RunResult): string {
  const { kills, faults, wireFaults, verdicts, findings, seconds } = result;
  return [
    table('killed (SIGKILL)', kills.entries),
    table('what else happened', faults.entries),
    callTable(wireFaults),
    ...verdicts.map(verdictLine),
    ...findings.lines.map((line) => `FOUND ${line}`),
    `${kills.total} kills, ${faults.total} faults, ${wireFaults.tally.total} faults of single calls in ${seconds.toFixed(0)} s`,
    summaryLine(verdicts),
  ].join('\n');
}

export function reportJson(result: RunResult, options: Options, steps: readonly Step[]) {
  const { kills, faults, wireFaults, verdicts, findings, seconds } = result;
  return {
    ok: isSound(result, steps),
    seed: options.seed,
    seconds: Math.round(seconds),
    kills: Object.fromEntries(kills.entries),
    faults: Object.fromEntries(faults.entries),
    calls: Object.fromEntries(wireFaults.tally.entries),
    checks: verdicts.map(({ records, hot, cold }) => ({ records, hot, cold })),
    found: findings.total,
    findings: findings.lines,
    ...lastSums(verdicts),
  };
}

function summaryLine(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return 'nothing was checked';
  const { lost, doubled, wrong } = lastSums(verdicts);
  return [`${lost} lost, ${doubled} doubled`, ...(wrong > 0 ? [`${wrong} wrong`] : [])].join(', ');
}

/** Each check is of everything from the beginning. */
function lastSums(verdicts: readonly Verdict[]) {
  const last = verdicts.at(-1);
  return last === undefined ? { lost: 0, doubled: 0, wrong: 0 } : sumOf(last);
}

function verdictLine({ records, hot, cold }: Verdict, index: number): string {
  const of = ({ lost, doubled, cut }: Verdict['hot']) => `${lost} lost, ${doubled} doubled, ${cut} cut off`;
  return `check ${index + 1}: ${records} records; hot: ${of(hot)}; cold: ${of(cold)}`;
}

function table(title: string, entries: readonly (readonly [string, number])[]): string {
  const width = Math.max(title.length, ...entries.map(([name]) => name.length)) + 2;
  const lines = entries.map(([name, count]) => `${name.padEnd(width)}${String(count).padStart(5)}`);
  return [title, ...lines, ''].join('\n');
}

/** Faults of single calls: a row a call, a column a fault. */
function callTable({ tally }: RunResult['wireFaults']): string {
  const rows = Map.groupBy(WIRE_FAULTS, (fault) => fault.split(/[: ]/)[0] ?? '');
  const lines = [...rows].map(([call, faults]) => {
    const cells = faults.map((fault) => `${fault.slice(call.length).replace(/^:? /, '')} ${tally.of(fault)}`);
    return `${call.padEnd(10)}${cells.join('   ')}`;
  });
  return ['faults of single calls', ...lines, ''].join('\n');
}
