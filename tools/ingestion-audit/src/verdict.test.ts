import { describe, expect, it } from 'vitest';
import { Findings, type FindingKind } from './findings.ts';
import type { LoggedGap, LoggedRecord, SentFrame } from './records.ts';
import { NO_COUNTS, type Life, type ServiceCounts } from './service-counts.ts';
import { judge, type Rules, type Verdict } from './verdict.ts';

const MILLI = 1_000_000n;
const START = 1_700_000_000_000n * MILLI;
const LATENCY = 2n * MILLI;
const SYMBOLS = ['KRW-BTC', 'KRW-ETH'];
const ONE_A_CUT: Rules = { gaps: 'one a cut', mayRepeatTrades: false };

/** A sound run: two connections, the last ten frames of the first lost when it was cut. */
function soundRun() {
  const sent: SentFrame[] = [];
  const send = (connection: string, count: number, fromMs: bigint) => {
    for (let at = 0; at < count; at += 1) {
      const seq = sent.length + 1;
      const symbol = SYMBOLS[at % 2] ?? '';
      const channel = at % 4 < 2 ? 'tick' : 'orderbook';
      const sentAt = START + (fromMs + BigInt(at) * 10n) * MILLI;
      sent.push({
        seq,
        connection,
        sentAt,
        symbol,
        channel,
        reference: `r${seq}`,
        isSnapshot: false,
        content: `c${seq}`,
      });
    }
  };
  send('c1', 100, 0n);
  send('c2', 100, 3_000n);
  const lost = sent.slice(90, 100);
  const records = sent.filter((frame) => !lost.includes(frame)).map(recordOf);
  const gaps = SYMBOLS.flatMap((symbol) =>
    (['tick', 'orderbook'] as const).map((channel, offset): LoggedGap => ({
      symbol,
      channel,
      partition: 0,
      offset,
      from: (sent[89]?.sentAt ?? 0n) + LATENCY,
      to: (sent[100]?.sentAt ?? 0n) + LATENCY,
      cause: 'RECONNECT',
      missed: 0n,
    })),
  );
  return { sent, records, gaps };
}

function recordOf(frame: SentFrame): LoggedRecord {
  const { seq, symbol, channel, reference, isSnapshot, content, sentAt } = frame;
  return {
    symbol,
    channel,
    reference,
    isSnapshot,
    content,
    partition: symbol === 'KRW-BTC' ? 1 : 2,
    offset: seq,
    receivedAt: sentAt + LATENCY,
  };
}

interface Changes {
  readonly sent?: readonly SentFrame[];
  readonly records?: readonly LoggedRecord[];
  readonly gaps?: readonly LoggedGap[];
  readonly service?: Partial<ServiceCounts>;
  readonly rules?: Rules;
  readonly faults?: readonly string[];
  readonly lives?: readonly Life[];
}

function judged(changes: Changes = {}): {
  found: Partial<Record<FindingKind, number>>;
  lines: readonly string[];
  verdict: Verdict;
} {
  const run = soundRun();
  const {
    sent = run.sent,
    records = run.records,
    gaps = run.gaps,
    service = {},
    rules = ONE_A_CUT,
    faults = [],
    lives = [],
  } = changes;
  const counts = { ...NO_COUNTS, received: records.length, published: records.length, ...service };
  const findings = new Findings();
  const kafka = { records, gaps, deadLetters: 0, faults };
  const verdict = judge({ symbols: SYMBOLS, sent, kafka, service: counts, lives, rules }, findings);
  const found = Object.fromEntries(Object.entries(findings.counts).filter(([, count]) => count > 0));
  return { found, lines: findings.lines, verdict };
}

function without<T>(items: readonly T[], index: number): T[] {
  return items.filter((_, at) => at !== index);
}

function swapped<T>(items: readonly T[], a: number, b: number): T[] {
  return items.map((item, at) => (at === a ? items[b] : at === b ? items[a] : item) as T);
}

describe('the comparison', () => {
  it('finds nothing in a sound run, and counts what the cut took', () => {
    const { found, verdict } = judged();
    expect(found).toEqual({});
    expect(verdict).toMatchObject({ sent: 200, inKafka: 190, cuts: 1, lostInCuts: 10, gaps: { RECONNECT: 4 } });
  });

  it('names a trade that is missing', () => {
    const { records } = soundRun();
    const { found, lines } = judged({ records: without(records, 20) });
    expect(found).toEqual({ lost: 1 });
    expect(lines).toEqual(['lost: KRW-BTC tick r21 (sent as 21 on c1) is neither in Kafka nor in a gap']);
  });

  it('names a trade that is missing although the service counts it as published', () => {
    const { records } = soundRun();
    const { found } = judged({ records: without(records, 20), service: { received: 190, published: 190 } });
    expect(found).toEqual({ lost: 1, 'wrong sums': 2 });
  });

  it('names a book that is missing when the service has replaced none', () => {
    const { records } = soundRun();
    const { found, lines } = judged({ records: without(records, 22) });
    expect(found).toEqual({ lost: 1 });
    expect(lines[0]).toContain('1 books are neither in Kafka nor in a gap, such as KRW-BTC r23');
  });

  it('takes a missing book for replaced when the service counts it and a newer one came', () => {
    const { records } = soundRun();
    const conflated = { conflated: 1, received: 190 };
    expect(judged({ records: without(records, 22), service: conflated }).found).toEqual({});
    // The last book of its symbol cannot have been replaced.
    expect(judged({ records: without(records, 188), service: conflated }).found).toEqual({ lost: 1 });
  });

  it('takes the last of two like books for the one that came, when the service counts the other as replaced', () => {
    const { sent, records } = soundRun();
    const isLike = ({ seq }: { readonly seq: number }) => seq === 195 || seq === 199;
    const alike = sent.map((frame) => (isLike(frame) ? { ...frame, content: 'alike' } : frame));
    const kept = without(records, 188).map((record) =>
      record.reference === 'r195' ? { ...record, content: 'alike' } : record,
    );
    const conflated = { conflated: 1, received: 190 };
    expect(judged({ sent: alike, records: kept, service: conflated }).found).toEqual({});
    expect(judged({ sent: alike, records: kept, service: { received: 190 } }).found).toMatchObject({ lost: 1 });
  });

  it('takes a missing book for dropped when a gap holds and counts it', () => {
    const { records, gaps } = soundRun();
    const record = records[22];
    const at = record?.receivedAt ?? 0n;
    const gap: LoggedGap = {
      symbol: 'KRW-BTC',
      channel: 'orderbook',
      partition: 0,
      offset: 9,
      from: at - 40n * MILLI,
      to: at,
      cause: 'BUFFER',
      missed: 1n,
    };
    const service = { dropped: { expired: 1 }, received: 190 };
    expect(judged({ records: without(records, 22), gaps: [...gaps, gap], service }).found).toEqual({});
    expect(judged({ records: without(records, 22), gaps, service }).found).toEqual({ lost: 1, 'wrong gaps': 1 });
    const trades: LoggedGap = { ...gap, channel: 'tick' };
    expect(judged({ records: without(records, 20), gaps: [...gaps, trades], service }).found).toEqual({
      lost: 1,
      'wrong gaps': 1,
    });
  });

  it('names a record that stands twice', () => {
    const { records } = soundRun();
    const [, , , , trade, , book] = records;
    if (trade === undefined || book === undefined) throw new Error('too short');
    const twice = [...records.slice(0, 30), { ...trade, offset: 500 }, { ...book, offset: 501 }, ...records.slice(30)];
    const { found, lines } = judged({ records: twice, service: { received: 190, published: 192 } });
    expect(found).toEqual({ doubled: 2 });
    expect(lines).toEqual([
      'doubled: KRW-BTC tick r5 stands again at 1/500',
      'doubled: KRW-BTC orderbook r7 stands again at 1/501',
    ]);
  });

  it('allows a trade to stand twice after a kill, but not three times, and never a book', () => {
    const { records } = soundRun();
    const [, , , , trade, , book] = records;
    if (trade === undefined || book === undefined) throw new Error('too short');
    const rules: Rules = { gaps: 'one a cut', mayRepeatTrades: true };
    const service = { received: 190, published: 190 };
    const twice = judged({ records: [...records, trade], service, rules });
    expect(twice.found).toEqual({});
    expect(twice.verdict.repeatedTrades).toBe(1);
    expect(judged({ records: [...records, trade, trade], service, rules }).found).toEqual({ doubled: 1 });
    expect(judged({ records: [...records, book], service, rules }).found).toEqual({ doubled: 1 });
  });

  it('names records of one key that changed places, and lets those of two keys', () => {
    const { records } = soundRun();
    const { found, lines } = judged({ records: swapped(records, 4, 8) });
    expect(found).toEqual({ 'out of order': 1 });
    expect(lines[0]).toContain('KRW-BTC tick r5 at 1/5 stands behind one sent after it');
    expect(judged({ records: swapped(records, 4, 5) }).found).toEqual({});
  });

  it('names a record that was never sent so: made up, altered, or of another symbol', () => {
    const { records } = soundRun();
    const altered = records.map((record, at) => (at === 20 ? { ...record, content: 'another price' } : record));
    expect(judged({ records: altered }).found).toEqual({ lost: 1, 'made up': 1, 'wrong sums': 1 });
    const foreign = [...records, { ...(records[0] as LoggedRecord), symbol: 'KRW-XRP' }];
    expect(judged({ records: foreign, service: { received: 190 } }).found).toEqual({ 'made up': 1 });
  });

  it('names a key that lies in two partitions', () => {
    const { records } = soundRun();
    const moved = records.map((record, at) => (at === 20 ? { ...record, partition: 5 } : record));
    expect(judged({ records: moved }).found).toEqual({ 'other faults': 1 });
  });

  it('names a gap that is missing, with what is lost in it', () => {
    const { gaps } = soundRun();
    const { found, lines } = judged({ gaps: without(gaps, 0) });
    expect(found).toEqual({ lost: 2, 'wrong gaps': 2 });
    expect(lines).toContain('wrong gaps: KRW-BTC tick has 0 gaps for 1 cuts');
    expect(lines).toContain('wrong gaps: KRW-BTC tick: no gap holds the cut from c1 to c2');
  });

  it('names a gap too many, also where gaps may merge, and a cut that no merged gap holds', () => {
    const { gaps } = soundRun();
    const doubled = [...gaps, gaps[0] as LoggedGap];
    expect(judged({ gaps: doubled }).found).toEqual({ 'wrong gaps': 1 });
    const merged: Rules = { gaps: 'merged', mayRepeatTrades: false };
    expect(judged({ gaps: doubled, rules: merged }).found).toEqual({ 'wrong gaps': 1 });
    expect(judged({ gaps: without(gaps, 1), rules: merged }).found).toEqual({ lost: 3, 'wrong gaps': 1 });
  });

  it('takes a gap without a beginning for the start on a log that another service has filled', () => {
    const { gaps, sent } = soundRun();
    const start: LoggedGap = { ...(gaps[0] as LoggedGap), from: 0n, to: START + LATENCY };
    const rules: Rules = { ...ONE_A_CUT, sharesLog: true };
    expect(judged({ gaps: [start, ...gaps], rules }).found).toEqual({});
    expect(judged({ gaps: [start, ...gaps] }).found).toEqual({ 'wrong gaps': 1 });
    const late = { ...start, to: (sent[50]?.sentAt ?? 0n) + LATENCY };
    expect(judged({ gaps: [late, ...gaps], rules }).found['wrong gaps']).toBe(2);
  });

  it('names a gap that begins too late, ends too early, or holds what was received', () => {
    const { gaps } = soundRun();
    const changed = (change: (gap: LoggedGap) => Partial<LoggedGap>) =>
      gaps.map((gap, at) => (at === 0 ? { ...gap, ...change(gap) } : gap));
    const late = judged({ gaps: changed(({ to }) => ({ from: to - MILLI })) });
    expect(late.found).toMatchObject({ lost: 2, 'wrong gaps': 1 });
    const early = judged({ gaps: changed(({ from }) => ({ to: from + 10n * MILLI })) });
    expect(early.found['wrong gaps']).toBe(1);
    const wide = judged({ gaps: changed(({ from }) => ({ from: from - 200n * MILLI })) });
    expect(wide.found).toEqual({ 'wrong gaps': 1 });
    expect(wide.lines[0]).toContain('which was received');
  });

  it('names a gap of a cause that nothing gave', () => {
    const { gaps } = soundRun();
    const odd: LoggedGap = { ...(gaps[0] as LoggedGap), cause: 'UNDECODABLE' };
    expect(judged({ gaps: [...gaps, odd] }).found).toEqual({ 'wrong gaps': 1 });
  });

  it('names a key that has more than a gap a second', () => {
    const { gaps } = soundRun();
    const buffer = (at: number): LoggedGap => {
      const to = START + BigInt(at) * MILLI;
      return { ...(gaps[1] as LoggedGap), cause: 'BUFFER', from: to, to, missed: 1n };
    };
    const service = { received: 198, dropped: { overflow: 8 } };
    const everySecond = [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000].map(buffer);
    expect(judged({ gaps: [...gaps, ...everySecond], service }).found).toEqual({});
    const atOnce = [0, 100, 200, 300, 400, 500, 600, 700].map(buffer);
    const { found, lines } = judged({ gaps: [...gaps, ...atOnce], service });
    expect(found).toEqual({ 'wrong gaps': 1 });
    expect(lines[0]).toContain('has 8 gaps for BUFFER within 0.7 s; expected one a second');
  });

  it('names sums of the service that do not add up', () => {
    expect(judged({ service: { published: 189 } }).found).toEqual({ 'wrong sums': 1 });
    expect(judged({ service: { received: 191 } }).found).toEqual({ 'wrong sums': 1 });
    expect(judged({ service: { received: 195, dropped: { expired: 5 } } }).found).toEqual({ 'wrong gaps': 1 });
  });

  it('does not ask a service that was killed for its last counts', () => {
    const { records } = soundRun();
    const rules: Rules = { gaps: 'one a cut', mayRepeatTrades: true };
    const untold = [{ from: START + 200n * MILLI, to: START + 300n * MILLI }];
    const service = { received: undefined, published: 150, untold };
    expect(judged({ service, rules }).found).toEqual({});
    expect(judged({ records: without(records, 22), service, rules }).found).toEqual({});
    expect(judged({ records: without(records, 62), service, rules }).found).toEqual({ lost: 1 });
    expect(judged({ service: { ...service, published: 191 }, rules }).found).toEqual({ 'wrong sums': 1 });
  });

  it('names what a life says was acknowledged and is not there, though a gap may hold it', () => {
    const lives = [{ connections: ['c1'], published: 95, foundOnDisk: 5 }];
    expect(judged({ lives }).found).toEqual({});
    const { found, lines } = judged({ lives: [{ connections: ['c1'], published: 95, foundOnDisk: 3 }] });
    expect(found).toEqual({ lost: 2 });
    expect(lines).toEqual(['lost: life 1 of the service says Kafka acknowledged 92 of its own; Kafka has 90']);
  });

  it('passes on what is wrong with single records', () => {
    expect(judged({ faults: ['market.tick/0/1 has the key x; its symbol is y'] }).found).toEqual({ 'other faults': 1 });
  });
});

describe('a snapshot that the venue sends again', () => {
  it('stands again, is counted, and is nothing doubled', () => {
    const { sent, records, gaps } = soundRun();
    const last = sent[88] as SentFrame;
    const again: SentFrame = { ...last, seq: 100.5, connection: 'c2', isSnapshot: true, content: 'snapshot of c89' };
    const frames = [...sent.slice(0, 100), { ...again, sentAt: (sent[100]?.sentAt ?? 0n) - MILLI }, ...sent.slice(100)];
    const place = records.findIndex(({ reference }) => reference === 'r101');
    const held = [...records.slice(0, place), recordOf(frames[100] as SentFrame), ...records.slice(place)];
    const findings = new Findings();
    const verdict = judge(
      {
        symbols: SYMBOLS,
        sent: frames,
        kafka: { records: held, gaps: gaps.map((gap) => ({ ...gap, to: gap.to - MILLI })), deadLetters: 0, faults: [] },
        service: { ...NO_COUNTS, received: 191, published: 191 },
        lives: [],
        rules: ONE_A_CUT,
      },
      findings,
    );
    expect(findings.lines).toEqual([]);
    expect(verdict.doubledSnapshots).toBe(1);
  });
});
