import { join } from 'node:path';
import { Findings } from './findings.ts';
import { readJournal } from './journal.ts';
import { KafkaReader, TOPICS, type KafkaHoldings } from './kafka-records.ts';
import { readTopic } from './kcat.ts';
import type { Scenario } from './scenarios.ts';
import { addCounts, NO_COUNTS, type ServiceCounts } from './service-counts.ts';
import { Stage, type Lane } from './stage.ts';
import { addVerdicts, judge, NO_VERDICT, type Verdict } from './verdict.ts';

export interface ScenarioResult {
  readonly name: string;
  readonly seconds: number;
  readonly verdict: Verdict;
  readonly service: ServiceCounts;
  readonly findings: Findings;
}

export interface RunOptions {
  /** Takes everything that the run writes. */
  readonly folder: string;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** Plays a scenario on a broker of its own and compares. A fault of the run itself becomes a finding. */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const startedAt = performance.now();
  const findings = new Findings();
  let verdict = NO_VERDICT;
  let service = NO_COUNTS;
  try {
    ({ verdict, service } = await played(scenario, findings, options));
  } catch (cause) {
    options.signal.throwIfAborted();
    findings.add('other faults', cause instanceof Error ? cause.message : String(cause));
  }
  return { name: scenario.name, seconds: (performance.now() - startedAt) / 1_000, verdict, service, findings };
}

async function played(scenario: Scenario, findings: Findings, { folder, seed, signal }: RunOptions) {
  const { name, lanes, rules } = scenario;
  const stage = await Stage.open({ folder: join(folder, name), seed, lanes, findings, signal });
  try {
    await Promise.race([scenario.play(stage, findings), ...stage.lanes.map(({ market }) => market.failed)]);
    await Promise.all(stage.lanes.map((lane) => lane.finish()));
    const kafka = await readKafka(stage.brokers, signal);
    const holdings = shareOut(kafka, stage.lanes);
    let verdict = NO_VERDICT;
    let service = NO_COUNTS;
    for (const [index, lane] of stage.lanes.entries()) {
      const { sent } = await readJournal(lane.journal);
      const { symbols, counts, lives } = lane;
      const evidence = { symbols, sent, kafka: holdings[index] ?? kafka, service: counts, lives, rules };
      verdict = addVerdicts(verdict, judge(evidence, findings));
      service = addCounts(service, counts);
    }
    return { verdict, service };
  } finally {
    await stage.close();
  }
}

async function readKafka(brokers: readonly string[], signal: AbortSignal): Promise<KafkaHoldings> {
  const reader = new KafkaReader('upbit');
  for (const topic of TOPICS) await readTopic(brokers, topic, (message) => reader.take(message), signal);
  return reader;
}

/** To each lane what is of its symbols; to the first what is of nobody's, which then finds it. */
function shareOut(kafka: KafkaHoldings, lanes: readonly Lane[]): readonly KafkaHoldings[] {
  const laneOf = new Map(lanes.flatMap(({ symbols }, index) => symbols.map((symbol) => [symbol, index] as const)));
  return lanes.map((_, index) => {
    const isOwn = ({ symbol }: { readonly symbol: string }) => (laneOf.get(symbol) ?? 0) === index;
    return {
      records: kafka.records.filter(isOwn),
      gaps: kafka.gaps.filter(isOwn),
      deadLetters: index === 0 ? kafka.deadLetters : 0,
      faults: index === 0 ? kafka.faults : [],
    };
  });
}
