import type { OffsetRange, TopicPartition } from '@aipx/event-log';
import type { LakeCatalog, ManifestEntry } from '@aipx/lake';
import type { DeadLetters } from './dead-letters.js';
import type { Finding } from './findings.js';
import { isIn } from './is-in.js';
import type { LakeWindow } from './lake-window.js';
import type { Tally } from './tally.js';

export interface RetiredOffsetsOptions {
  readonly partition: TopicPartition;
  readonly catalog: LakeCatalog | undefined;
  readonly letters: DeadLetters;
  readonly tally: Tally;
  readonly report: (finding: Finding) => void;
}

/** Accounts for offsets that the log has let go and no store has a row of: by what the lake's plans and entries say. */
export class RetiredOffsets {
  readonly #options: RetiredOffsetsOptions;

  constructor(options: RetiredOffsetsOptions) {
    this.#options = options;
  }

  async account(ranges: readonly OffsetRange[], window: LakeWindow | undefined): Promise<void> {
    const { tally, partition, catalog } = this.#options;
    const counts = tally.at(partition.topic, undefined);
    for (const range of ranges) {
      if (catalog === undefined || window === undefined) {
        counts.removed += Number(range.end - range.begin);
        continue;
      }
      let next = range.begin;
      for (const entry of window.entries) {
        const part = overlap(range, entry);
        if (part === undefined) continue;
        this.#lose({ begin: next, end: part.begin }, 'no manifest entry has them, and later ones are there');
        await this.#accountBatch(part, entry, window, catalog);
        next = part.end;
      }
      this.#lose({ begin: next, end: range.end }, 'no manifest entry has them, and later ones are there');
    }
  }

  async #accountBatch(
    part: OffsetRange,
    entry: ManifestEntry,
    window: LakeWindow,
    catalog: LakeCatalog,
  ): Promise<void> {
    const { partition, tally, letters } = this.#options;
    const counts = tally.at(partition.topic, undefined);
    const { undecodable, unused } = await catalog.plan(partition, entry.begin);
    let unknownFrom = part.begin;
    const isNamed = window.hasLostFiles(entry);
    const lose = (end: bigint) => {
      if (isNamed) counts.lost += Number(end - unknownFrom);
      else this.#lose({ begin: unknownFrom, end }, 'neither a row nor a word of the manifest');
    };
    for (let offset = part.begin; offset < part.end; offset += 1n) {
      const isMissing = isIn(entry.missing, offset);
      const isUnused = isIn(unused, offset);
      if (!isMissing && !isUnused && !isIn(undecodable, offset)) continue;
      lose(offset);
      unknownFrom = offset + 1n;
      if (isUnused) continue;
      if (isMissing) counts.removed += 1;
      else if (letters.at(partition, offset) !== undefined) counts.deadLetters += 1;
      else if (letters.isIncomplete) counts.removed += 1;
      else {
        counts.lost += 1;
        const says = 'the plan calls the record undecodable, and no dead letter holds it';
        this.#options.report({ kind: 'lost', store: 'dead letters', partition, offset, says });
      }
    }
    lose(part.end);
  }

  #lose({ begin, end }: OffsetRange, why: string): void {
    if (begin >= end) return;
    const { partition, tally, report } = this.#options;
    tally.at(partition.topic, undefined).lost += Number(end - begin);
    report({ kind: 'lost', store: 'lake', partition, offset: begin, says: `offsets ${begin} to ${end - 1n}: ${why}` });
  }
}

function overlap(a: OffsetRange, b: OffsetRange): OffsetRange | undefined {
  const begin = a.begin > b.begin ? a.begin : b.begin;
  const end = a.end < b.end ? a.end : b.end;
  return begin < end ? { begin, end } : undefined;
}
