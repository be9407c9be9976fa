import { FINDING_KINDS } from './findings.ts';
import type { ScenarioResult } from './run-scenario.ts';

/** One line a scenario: what was sent and what became of it. */
export function resultLine({ name, seconds, verdict, service, findings }: ScenarioResult): string {
  const dropped = counted(service.dropped);
  const gaps = counted(verdict.gaps);
  return [
    name.padEnd(8),
    `sent ${verdict.sent}`,
    `in Kafka ${verdict.inKafka}`,
    `lost in ${verdict.cuts} cuts ${verdict.lostInCuts}`,
    `conflated ${service.conflated}`,
    `dropped ${dropped === '' ? 0 : dropped}`,
    `gaps ${gaps === '' ? 0 : gaps}`,
    `spilled ${service.spilled}`,
    `doubled snapshots ${verdict.doubledSnapshots}`,
    `repeated ${verdict.repeatedTrades}`,
    `${seconds.toFixed(0)} s`,
    findings.total === 0 ? 'ok' : 'FAILED',
  ].join('  ');
}

/** The last line: `0 lost, 0 doubled, 0 out of order`, and what else is wrong, if anything is. */
export function summaryLine(results: readonly ScenarioResult[]): string {
  const totals = FINDING_KINDS.map((kind) => {
    const count = results.reduce((sum, { findings }) => sum + findings.counts[kind], 0);
    return { kind, count };
  });
  const always = ['lost', 'doubled', 'out of order'];
  return totals
    .filter(({ kind, count }) => count > 0 || always.includes(kind))
    .map(({ kind, count }) => `${count} ${kind}`)
    .join(', ');
}

export function resultJson({ name, seconds, verdict, service, findings }: ScenarioResult) {
  const { untold, ...counts } = service;
  return {
    scenario: name,
    ok: findings.total === 0,
    seconds: Math.round(seconds),
    ...verdict,
    service: { ...counts, killed: untold.length },
    found: findings.counts,
    findings: findings.lines,
  };
}

function counted(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${what} ${count}`)
    .join(' + ');
}
