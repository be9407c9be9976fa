import { align, type Alignment } from './align.ts';
import { connectionsOf, cutsBetween, type Connection, type Cut } from './connections.ts';
import { holdsCut, holdsFrame } from './coverage.ts';
import type { Findings } from './findings.ts';
import type { KafkaHoldings } from './kafka-records.ts';
import { streamName, type GapCause, type LoggedGap, type LoggedRecord, type SentFrame } from './records.ts';
import type { Life, ServiceCounts } from './service-counts.ts';
import { checkSums } from './sums.ts';

export interface Evidence {
  /** Subscribed, on both channels. */
  readonly symbols: readonly string[];
  readonly sent: readonly SentFrame[];
  readonly kafka: KafkaHoldings;
  readonly service: ServiceCounts;
  readonly lives: readonly Life[];
  readonly rules: Rules;
}

/** What the faults that were made allow. */
export interface Rules {
  /** `one a cut`: while the log is up and cuts are more than a second apart; `merged`: they must still hold every cut. */
  readonly gaps: 'one a cut' | 'merged';
  /** A trade may stand twice: the service was killed, or stopped while a send was unanswered. */
  readonly mayRepeatTrades: boolean;
  /** Another service may have filled the log before: then nobody knows since when a stream was missed. */
  readonly sharesLog?: boolean;
}

export interface Verdict {
  readonly sent: number;
  readonly inKafka: number;
  readonly cuts: number;
  /** Frames that no cut may have taken, no newer book replaced and no bound let go. */
  readonly lostInCuts: number;
  readonly gaps: Readonly<Partial<Record<GapCause, number>>>;
  /** Trades that stand once more because the venue sent them again as a snapshot. */
  readonly doubledSnapshots: number;
  /** Trades that stand once more because the service had to send them again. */
  readonly repeatedTrades: number;
}

export const NO_VERDICT: Verdict = {
  sent: 0,
  inKafka: 0,
  cuts: 0,
  lostInCuts: 0,
  gaps: {},
  doubledSnapshots: 0,
  repeatedTrades: 0,
};

export function addVerdicts(a: Verdict, b: Verdict): Verdict {
  const gaps = { ...a.gaps };
  for (const [cause, count] of Object.entries(b.gaps)) gaps[cause as GapCause] = (gaps[cause as GapCause] ?? 0) + count;
  return {
    sent: a.sent + b.sent,
    inKafka: a.inKafka + b.inKafka,
    cuts: a.cuts + b.cuts,
    lostInCuts: a.lostInCuts + b.lostInCuts,
    gaps,
    doubledSnapshots: a.doubledSnapshots + b.doubledSnapshots,
    repeatedTrades: a.repeatedTrades + b.repeatedTrades,
  };
}

/** In one life of the service. */
const GAPS_BEYOND_ONE_A_SECOND = 4;

interface Stream {
  readonly name: string;
  readonly channel: 'tick' | 'orderbook';
  readonly alignment: Alignment;
  readonly gaps: readonly LoggedGap[];
}

/** Holds what Kafka has against what was sent: stream by stream, then as a whole. */
export function judge(evidence: Evidence, findings: Findings): Verdict {
  const { sent, kafka, lives, rules } = evidence;
  const streams = streamsOf(evidence, findings);
  const arrived = streams.flatMap(({ alignment }) => alignment.arrived);
  const connections = connectionsOf(sent, arrived);
  const byName = new Map(connections.map((connection) => [connection.name, connection]));
  const cuts = cutsBetween(connections);
  const unnamed: SentFrame[] = [];
  let repeatedTrades = 0;
  for (const stream of streams) {
    repeatedTrades += checkCopies(stream, rules, findings);
    checkGaps(stream, { cuts, lives: Math.max(1, lives.length), rules }, findings);
    unnamed.push(...unnamedLosses(stream, byName, findings));
  }
  for (const fault of kafka.faults) findings.add('other faults', fault);
  if (kafka.deadLetters > 0) findings.add('other faults', `${kafka.deadLetters} dead letters of sound frames`);
  const missing = streams.flatMap(({ alignment }) => alignment.missing);
  checkSums({ ...evidence, arrived, unnamed, findings });
  const letGo = evidence.service.conflated + sumOf(evidence.service.dropped);
  return {
    sent: sent.length,
    inKafka: kafka.records.length,
    cuts: cuts.length,
    lostInCuts: Math.max(0, missing.length - letGo),
    gaps: countBy(kafka.gaps),
    doubledSnapshots: doubledSnapshots(kafka.records),
    repeatedTrades,
  };
}

function streamsOf({ symbols, sent, kafka }: Evidence, findings: Findings): readonly Stream[] {
  const frames = Map.groupBy(sent, streamName);
  const records = Map.groupBy(kafka.records, streamName);
  const gaps = Map.groupBy(kafka.gaps, ({ symbol, channel }) => `${symbol} ${channel}`);
  const streams = symbols.flatMap((symbol) =>
    (['tick', 'orderbook'] as const).map((channel) => {
      const name = streamName({ symbol, channel });
      const logged = inOnePartition(name, records.get(name) ?? [], findings);
      return { name, channel, alignment: align(frames.get(name) ?? [], logged), gaps: gaps.get(name) ?? [] };
    }),
  );
  const names = new Set(streams.map(({ name }) => name));
  for (const [name, own] of records) {
    if (!names.has(name))
      findings.add('made up', `${own.length} records of ${name}, which is not subscribed`, own.length);
  }
  for (const [name, own] of gaps) {
    if (!names.has(name))
      findings.add('wrong gaps', `${own.length} gaps of ${name}, which is not subscribed`, own.length);
  }
  return streams;
}

/** Order per key means nothing across partitions. */
function inOnePartition(name: string, records: readonly LoggedRecord[], findings: Findings): readonly LoggedRecord[] {
  const partitions = new Set(records.map(({ partition }) => partition));
  if (partitions.size > 1) findings.add('other faults', `${name} lies in the partitions ${[...partitions].join(', ')}`);
  return records;
}

/** @returns how many trades stand once more, where the rules allow it */
function checkCopies({ name, channel, alignment }: Stream, rules: Rules, findings: Findings): number {
  const { unknown, doubled, outOfOrder, arrived } = alignment;
  for (const record of unknown)
    findings.add('made up', `${name} ${record.reference} at ${placeOf(record)} was never sent so`);
  for (const record of outOfOrder) {
    findings.add('out of order', `${name} ${record.reference} at ${placeOf(record)} stands behind one sent after it`);
  }
  let repeats = 0;
  const mayRepeat = rules.mayRepeatTrades && channel === 'tick';
  const left = Map.groupBy(mayRepeat ? arrived.map(({ record }) => record.content) : [], (content) => content);
  for (const record of doubled) {
    if (left.get(record.content)?.pop() === undefined) {
      findings.add('doubled', `${name} ${record.reference} stands again at ${placeOf(record)}`);
    } else {
      repeats += 1;
    }
  }
  return repeats;
}

function checkGaps(
  { name, channel, alignment, gaps }: Stream,
  { cuts, lives, rules }: { readonly cuts: readonly Cut[]; readonly lives: number; readonly rules: Rules },
  findings: Findings,
): void {
  const { arrived } = alignment;
  const isOfStart = ({ from, to }: LoggedGap) => from === 0n && to <= (arrived[0]?.record.receivedAt ?? 0n);
  const reconnects = gaps.filter((gap) => gap.cause === 'RECONNECT' && !(rules.sharesLog && isOfStart(gap)));
  const isOneACut = rules.gaps === 'one a cut';
  if (reconnects.length > cuts.length || (isOneACut && reconnects.length < cuts.length)) {
    findings.add('wrong gaps', `${name} has ${reconnects.length} gaps for ${cuts.length} cuts`);
  }
  for (const cut of cuts) {
    if (reconnects.some((gap) => holdsCut(gap, cut))) continue;
    findings.add('wrong gaps', `${name}: no gap holds the cut from ${cut.before.name} to ${cut.after.name}`);
  }
  for (const gap of gaps) {
    if (gap.cause === 'RECONNECT' || (gap.cause === 'BUFFER' && channel === 'orderbook')) continue;
    findings.add('wrong gaps', `${name} has a gap for ${gap.cause} at ${placeOf(gap)}, and nothing gave cause for it`);
  }
  for (const [cause, own] of Map.groupBy(gaps, (gap) => gap.cause)) {
    const { length } = own;
    const seconds = Number((own.at(-1)?.to ?? 0n) - (own[0]?.to ?? 0n)) / 1e9;
    // A gap may wait for its second, and what it names may have waited before that.
    if (length <= seconds + GAPS_BEYOND_ONE_A_SECOND * lives) continue;
    findings.add(
      'wrong gaps',
      `${name} has ${length} gaps for ${cause} within ${seconds.toFixed(1)} s; expected one a second`,
    );
  }
  if (!isOneACut) return;
  for (const gap of reconnects) {
    const inside = arrived.find(({ record }) => record.receivedAt > gap.from && record.receivedAt < gap.to);
    if (inside === undefined) continue;
    findings.add(
      'wrong gaps',
      `${name}: the gap at ${placeOf(gap)} holds ${inside.record.reference}, which was received`,
    );
  }
}

/**
 * What is missing and in no gap. A trade so missing is lost; a book may have been replaced by a newer one, which the
 * service has counted.
 */
function unnamedLosses(
  { name, channel, alignment, gaps }: Stream,
  connections: ReadonlyMap<string, Connection>,
  findings: Findings,
): readonly SentFrame[] {
  const { missing, arrived } = alignment;
  const holding = channel === 'tick' ? gaps.filter(({ cause }) => cause === 'RECONNECT') : gaps;
  const isNamed = (frame: SentFrame) =>
    holding.some((gap) => holdsFrame(gap, frame, connections.get(frame.connection)));
  const unnamed = missing.filter((frame) => !isNamed(frame));
  if (unnamed.length === 0) return [];
  // Of frames that are alike, nobody can say which of them is missing.
  const others = [...missing, ...arrived.map(({ frame }) => frame)];
  const alike = Map.groupBy(others, ({ content }) => content);
  const surely = unnamed.filter((frame) => !alike.get(frame.content)?.some(isNamed));
  const lastSeq = Math.max(...others.map(({ seq }) => seq));
  const inKafka = new Set(arrived.map(({ frame }) => frame.content));
  return surely.filter((frame) => {
    // A book like the last one is there: the one before was replaced by it, whichever of the two was found.
    if (channel === 'orderbook' && (frame.seq < lastSeq || inKafka.has(frame.content))) return true;
    findings.add(
      'lost',
      `${name} ${frame.reference} (sent as ${frame.seq} on ${frame.connection}) is neither in Kafka nor in a gap`,
    );
    return false;
  });
}

function doubledSnapshots(records: readonly LoggedRecord[]): number {
  const trades = records.filter(({ channel }) => channel === 'tick');
  const snapshots = new Map<string, number>();
  const realtime = new Set<string>();
  for (const { symbol, reference, isSnapshot } of trades) {
    const trade = `${symbol} ${reference}`;
    if (isSnapshot) snapshots.set(trade, (snapshots.get(trade) ?? 0) + 1);
    else realtime.add(trade);
  }
  let doubled = 0;
  for (const [trade, copies] of snapshots) doubled += realtime.has(trade) ? copies : copies - 1;
  return doubled;
}

function countBy(gaps: readonly LoggedGap[]): Readonly<Partial<Record<GapCause, number>>> {
  const counts: Partial<Record<GapCause, number>> = {};
  for (const { cause } of gaps) counts[cause] = (counts[cause] ?? 0) + 1;
  return counts;
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function placeOf({ partition, offset }: { readonly partition: number; readonly offset: number }): string {
  return `${partition}/${offset}`;
}
