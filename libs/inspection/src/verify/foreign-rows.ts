import type { EventLog } from '@aipx/event-log';
import { kindOfTopic } from '@aipx/market-proto';
import type { HotReader, HotRowFilter, HotRowLine } from '@aipx/timescale';
import { fieldOf, timeOf } from './fields.js';
import type { Finding } from './findings.js';
import type { Tally } from './tally.js';

export interface ForeignRowsOptions {
  readonly log: EventLog;
  readonly reopenLog?: (() => Promise<EventLog>) | undefined;
  readonly topic: string;
  /** For one scan of the topic's table. */
  readonly scan: HotReader;
  readonly filter: HotRowFilter;
  readonly tally: Tally;
  readonly report: (finding: Finding) => void;
  readonly signal: AbortSignal;
}

/** Finds rows of the database where the log has no offset: behind the end of a partition, or in one that is not there. */
export async function findForeignRows(options: ForeignRowsOptions): Promise<void> {
  const { log, reopenLog, topic, scan, filter, signal } = options;
  const outside = [...(await endsOf(log, topic, signal))].map(([partition, end]) => ({ partition, end }));
  let present: Ends | undefined;
  for await (const rows of scan.rows(kindOfTopic(topic), { ...filter, outside })) {
    // A recorder may have stored meanwhile what came to the log meanwhile, also to partitions that were added. To look
    // once is enough: the rows of a scan were there when it began, and their records in the log before them.
    present ??= await endsOf((await reopenLog?.()) ?? log, topic, signal);
    for (const row of rows) {
      const end = present.get(row.partition);
      if (end === undefined) tell(options, row, `the topic has no such partition, its ${present.size} count from 0`);
      else if (row.offset >= end) tell(options, row, `the log ends before offset ${end}`);
    }
  }
}

/** First offset behind each partition. */
type Ends = ReadonlyMap<number, bigint>;

async function endsOf(log: EventLog, topic: string, signal: AbortSignal): Promise<Ends> {
  const ranges = (await log.partitionsOf(topic)).map(
    async (each) => [each.partition, (await log.range(each, { signal })).end] as const,
  );
  return new Map(await Promise.all(ranges));
}

function tell({ topic, tally, report }: ForeignRowsOptions, { partition, offset, line }: HotRowLine, why: string) {
  const kind = kindOfTopic(topic);
  const time = timeOf(line);
  const counts = tally.at(topic, time);
  counts.database += 1;
  counts.different += 1;
  report({
    kind: 'different',
    store: 'database',
    partition: { topic, partition },
    offset,
    exchange: fieldOf(kind, line, 'exchange') ?? '',
    symbol: fieldOf(kind, line, 'symbol') ?? '',
    time,
    says: `a row stands here, and ${why}`,
  });
}
