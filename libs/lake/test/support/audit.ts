import { createHash } from 'node:crypto';
import type { TopicPartition } from '@aipx/event-log';
import { kindOfTopic } from '@aipx/market-proto';
import type { ObjectStore } from '../../src/object-store/object-store.js';
import { inspectFile } from '../../src/parquet/inspect-file.js';
import { readEntry } from '../../src/protocol/manifest-entry.js';
import { LakeNames } from '../../src/protocol/names.js';
import { readPlan } from '../../src/protocol/plan.js';

/** Where each offset of a partition is, in the order of the offsets. */
export type Whereabouts = 'file' | 'undecodable' | 'unused' | 'missing';

/**
 * Goes through everything that a partition has in a lake and says where each offset is.
 *
 * @throws {Error} when an offset is nowhere or in two places, the chain has a hole, an entry differs from its files, or
 * a file belongs to no batch
 */
export async function audit(objects: ObjectStore, partition: TopicPartition): Promise<readonly Whereabouts[]> {
  const names = new LakeNames('market-data', partition);
  const found: Whereabouts[] = [];
  const put = (offset: bigint, where: Whereabouts) => {
    if (found[Number(offset)] !== undefined)
      throw new Error(`offset ${offset} is ${found[Number(offset)]} and ${where}`);
    found[Number(offset)] = where;
  };
  const described = new Set<string>();
  let end = 0n;
  for await (const key of objects.list(names.plans)) {
    const plan = readPlan(key, await stored(objects, key));
    if (plan.begin !== end) throw new Error(`${key} begins at ${plan.begin}; the chain had reached ${end}`);
    end = plan.end;
    const entryKey = names.entry(plan.begin);
    const entry = readEntry(entryKey, await stored(objects, entryKey));
    for (const { begin, end: behind } of plan.undecodable)
      for (let at = begin; at < behind; at += 1n) put(at, 'undecodable');
    for (const { begin, end: behind } of plan.unused) for (let at = begin; at < behind; at += 1n) put(at, 'unused');
    for (const { begin, end: behind } of entry.missing) for (let at = begin; at < behind; at += 1n) put(at, 'missing');
    for (const file of entry.files) {
      const bytes = await stored(objects, names.key(file.name));
      const content = await inspectFile(new Uint8Array(bytes));
      if (createHash('sha256').update(bytes).digest('hex') !== file.sha256)
        throw new Error(`${file.name} has another checksum`);
      if (content.rows !== file.rows || bytes.byteLength !== file.bytes)
        throw new Error(`${file.name} is not as described`);
      for (const { begin, end: behind } of content.offsets) for (let at = begin; at < behind; at += 1n) put(at, 'file');
      described.add(names.key(file.name));
    }
  }
  for await (const key of objects.list(`market-data/${kindOfTopic(partition.topic)}/`)) {
    if (key.includes(`/${partition.topic}-${partition.partition}-`) && !described.has(key))
      throw new Error(`${key} belongs to no batch`);
  }
  for (let offset = 0; offset < Number(end); offset += 1) {
    if (found[offset] === undefined) throw new Error(`offset ${offset} is nowhere`);
  }
  return found;
}

async function stored(objects: ObjectStore, key: string): Promise<Uint8Array> {
  const bytes = await objects.get(key);
  if (bytes === undefined) throw new Error(`${key} is missing`);
  return bytes;
}
