import { describe, expect, it } from 'vitest';
import { Findings } from './findings.ts';
import { resultJson, resultLine, summaryLine } from './report.ts';
import type { ScenarioResult } from './run-scenario.ts';
import { NO_COUNTS } from './service-counts.ts';
import { NO_VERDICT } from './verdict.ts';

function result(find: (findings: Findings) => void = () => undefined): ScenarioResult {
  const findings = new Findings();
  find(findings);
  const verdict = {
    ...NO_VERDICT,
    sent: 1_000,
    inKafka: 900,
    cuts: 5,
    lostInCuts: 60,
    gaps: { RECONNECT: 50, BUFFER: 2 },
  };
  const service = { ...NO_COUNTS, conflated: 37, dropped: { expired: 3, overflow: 0 }, spilled: 12 };
  return { name: 'cuts', seconds: 12.4, verdict, service, findings };
}

describe('the report', () => {
  it('has one line a scenario', () => {
    expect(resultLine(result())).toBe(
      'cuts      sent 1000  in Kafka 900  lost in 5 cuts 60  conflated 37  dropped expired 3  ' +
        'gaps RECONNECT 50 + BUFFER 2  spilled 12  doubled snapshots 0  repeated 0  12 s  ok',
    );
  });

  it('ends with what was lost, doubled and out of order, and names what else is wrong', () => {
    expect(summaryLine([result(), result()])).toBe('0 lost, 0 doubled, 0 out of order');
    const broken = result((findings) => {
      findings.add('lost', 'two trades', 2);
      for (let one = 1; one <= 12; one += 1) findings.add('wrong gaps', `gap ${one}`);
    });
    expect(summaryLine([result(), broken])).toBe('2 lost, 0 doubled, 0 out of order, 12 wrong gaps');
    expect(resultLine(broken)).toMatch(/FAILED$/);
    expect(resultJson(broken)).toMatchObject({
      scenario: 'cuts',
      ok: false,
      found: { lost: 2, 'wrong gaps': 12 },
    });
    const { lines } = broken.findings;
    expect(lines.slice(0, 2)).toEqual(['lost: two trades', 'wrong gaps: gap 1']);
    expect(lines.slice(-2)).toEqual(['wrong gaps: gap 10', 'wrong gaps: and 2 more']);
  });
});
