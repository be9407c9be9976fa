import type { CommittedOffset, EventLog, LogRecord, OffsetRange } from '@aipx/event-log';
import {
  recordHash,
  recordsFrom,
  type ColdBatch,
  type ColdPartition,
  type ColdSession,
  type PackedRecords,
  type StoredBatch,
} from '@aipx/recording';
import type { PatientObjectStore } from '../object-store/patient-object-store.js';
import { BatchTooLarge, type BatchEncoder } from '../parquet/batch-encoder.js';
import type { EncodedBatch, HourFile } from '../parquet/encode-batch.js';
import { findChainEnd, hintOf, readStoredPlan } from './chain.js';
import { finishBatch } from './finish-batch.js';
import type { LakeNames } from './names.js';
import { partsWithin, rangesOf, restOf } from './offset-ranges.js';
import { planBytes, type Plan } from './plan.js';
import { readRange, readRecord } from './read-range.js';
import { expectSameReading } from './same-reading.js';
import { expectSameLog, mismatch } from './same-log.js';

/** What the protocol works with. */
export interface LakeParts {
  readonly objects: PatientObjectStore;
  readonly names: LakeNames;
  readonly log: Pick<EventLog, 'id' | 'range' | 'read'>;
  readonly encoder: BatchEncoder;
  readonly session: ColdSession;
  /** A batch took more memory than there is, and is cut smaller. */
  readonly onTooLarge: (error: BatchTooLarge, plan: string) => void;
}

interface ReadBatch extends EncodedBatch {
  /** Offsets that the log passed over. */
  readonly unused: readonly OffsetRange[];
}

/**
 * One partition's chain of batches, taken up at its end. Each batch goes through the same steps whoever does them: plan,
 * files, entry, position. `test/protocol-model.ts` is the protocol without the code.
 */
export class LakePartition implements ColdPartition {
  readonly finishedTo: bigint;
  readonly finished: readonly StoredBatch[];
  readonly #parts: LakeParts;
  #last: Plan | undefined;
  /** Offsets of a batch, once a larger one was too large for the encoder. */
  #mostOffsets: bigint | undefined;

  private constructor(parts: LakeParts, last: Plan | undefined, finishedTo: bigint, finished: readonly StoredBatch[]) {
    this.#parts = parts;
    this.finishedTo = finishedTo;
    this.finished = finished;
    this.#last = last;
  }

  static async open(parts: LakeParts, committed?: CommittedOffset): Promise<LakePartition> {
    const { objects, names, log, session } = parts;
    const { last, unfinished } = await findChainEnd(objects, names, log.id, committed);
    if (last !== undefined) await expectSameLog(log, last, session.signal);
    const finished: StoredBatch[] = [];
    for (const plan of unfinished) finished.push(await finishBatch(parts, plan, await encodeAsPlanned(parts, plan)));
    return new LakePartition(parts, last, unfinished[0]?.begin ?? last?.end ?? 0n, finished);
  }

  get position(): bigint {
    return this.#last?.end ?? 0n;
  }

  get hint(): CommittedOffset | undefined {
    return this.#last && hintOf(this.#last);
  }

  async *write(batch: ColdBatch): AsyncGenerator<StoredBatch> {
    let records: PackedRecords | undefined = batch.records;
    while (this.position < batch.end) {
      const range = { begin: this.position, end: this.#endOf(batch) };
      const encoded = await this.#encode(range, records);
      records = undefined; // handed over; whatever is needed again comes from the log
      if (encoded === undefined) continue;
      const mine = await this.#planOf(range, batch, encoded);
      if (mine === undefined) continue;
      const plan = await this.#claim(mine);
      yield await this.#finish(plan, plan === mine ? encoded.hours : await encodeAsPlanned(this.#parts, plan));
    }
  }

  #endOf({ end }: ColdBatch): bigint {
    const most = this.#mostOffsets === undefined ? end : this.position + this.#mostOffsets;
    return most < end ? most : end;
  }

  /** `undefined` when it was too much for the encoder: from now on batches have half of its offsets at most. */
  async #encode(range: OffsetRange, given: PackedRecords | undefined): Promise<ReadBatch | undefined> {
    const { log, names, encoder, session, onTooLarge } = this.#parts;
    const offsets = range.end - range.begin;
    const handed = given === undefined ? undefined : recordsFrom(given, range.begin);
    // Before the first record that was handed over, and behind the last, only the log can say whether something is lost.
    const { records, held } =
      handed !== undefined && spans(handed, range)
        ? { records: handed, held: range }
        : await readRange(log, names.partition, range, session.signal);
    const unused = restOf(held, rangesOf(records.offsets)) ?? [];
    try {
      return { ...(await encoder.encode({ partition: names.partition, records }, session.signal)), unused };
    } catch (error) {
      if (!(error instanceof BatchTooLarge) || offsets === 1n) throw error;
      this.#mostOffsets = offsets / 2n;
      onTooLarge(error, names.plan(range.begin));
      return undefined;
    }
  }

  /** `undefined` when retention took the record that a cut by hours would end with: then other rows make other hours. */
  async #planOf(range: OffsetRange, batch: ColdBatch, encoded: ReadBatch): Promise<Plan | undefined> {
    const { log, names, session } = this.#parts;
    const { undecodable, unused, hours } = encoded;
    const end = encoded.cutAt ?? range.end;
    const isCut = end < batch.end;
    const last = isCut ? await readRecord(log, names.partition, end - 1n, session.signal) : undefined;
    if (encoded.cutAt !== undefined && last === undefined) return undefined;
    const { topic, partition } = names.partition;
    return {
      begin: range.begin,
      end,
      partition: { topic, partition },
      logId: log.id,
      hashBefore: this.#last?.lastHash ?? null,
      lastHash: isCut ? hashOf(last) : batch.lastHash,
      undecodable,
      unused: partsWithin({ begin: range.begin, end }, unused),
      hours: hours.map(({ hour, rows, offsets }) => {
        return { hour, rows, first: offsets[0]?.begin ?? 0n, last: (offsets.at(-1)?.end ?? 1n) - 1n };
      }),
    };
  }

  /** Writes the plan, or reads the one that was there first: `mine` itself when the two are the same. */
  async #claim(mine: Plan): Promise<Plan> {
    const { objects, names } = this.#parts;
    const bytes = planBytes(mine);
    if ((await objects.putIfAbsent(names.plan(mine.begin), bytes)) === 'created') return mine;
    const found = await readStoredPlan(objects, names, mine.begin);
    if (Buffer.compare(planBytes(found), bytes) === 0) return mine;
    if (found.logId !== mine.logId)
      throw mismatch(mine, `its batch from ${mine.begin} was planned from log ${found.logId}`);
    if (found.hashBefore !== mine.hashBefore) {
      throw mismatch(mine, `its batch from ${mine.begin} follows another record than the one this recorder stored`);
    }
    return found;
  }

  async #finish(plan: Plan, files: readonly HourFile[]): Promise<StoredBatch> {
    const stored = await finishBatch(this.#parts, plan, files);
    this.#last = plan;
    return stored;
  }
}

/** Whether the records reach from end to end: an offset between them holds none, for the log leaves no record out. */
function spans({ offsets }: PackedRecords, { begin, end }: OffsetRange): boolean {
  return offsets[0] === begin && offsets.at(-1) === end - 1n;
}

function hashOf(record: LogRecord | undefined): string | null {
  return record === undefined ? null : recordHash(record);
}

/**
 * The plan's files from what the log still holds.
 *
 * @throws {MarketDataError} `STORE_REFUSED` when this version reads the records otherwise than the one that planned
 */
async function encodeAsPlanned({ log, names, encoder, session }: LakeParts, plan: Plan): Promise<readonly HourFile[]> {
  const { records } = await readRange(log, names.partition, plan, session.signal);
  const held = [...records.offsets];
  const follow = { undecodable: plan.undecodable, hours: plan.hours.map(({ hour }) => hour) };
  const { hours } = await encoder.encode({ partition: names.partition, records, follow }, session.signal);
  expectSameReading(plan, held, hours);
  return hours;
}
