/**
 * A process that writes numbers to a spill queue, reads, "sends" and acknowledges them, until it is killed, and keeps a
 * journal of what it did, which outlives it: `w` written, `s` sent, `b` about to acknowledge, `a` acknowledged. With
 * `drain` it writes nothing and ends when the queue is empty.
 */
import { appendFileSync } from 'node:fs';
import { SpillQueue, type SpilledEntry } from '../src/spill/spill-queue.js';
import { numberOf, spillEntries } from './spill-fixture.js';

const [folder = '', journal = '', firstNumber = '0', mode = 'fill'] = process.argv.slice(2);
const queue = SpillQueue.open({
  folder,
  maxBytes: 64 * 1024 * 1024,
  segmentBytes: 16 * 1024,
  onDamage: (error) => note('damage', [error.message]),
});
const unacknowledged: SpilledEntry[] = [];
let number = Number(firstNumber);

function note(what: string, items: readonly (number | string)[]): void {
  appendFileSync(journal, `${what} ${items.join(' ')}\n`);
}

function acknowledge(entries: readonly SpilledEntry[]): void {
  const numbers = entries.map(({ entry }) => numberOf(entry.value));
  note('b', numbers);
  queue.acknowledge(entries.map(({ sequence }) => sequence));
  note('a', numbers);
}

for (let turn = 0; mode === 'fill' || !queue.isEmpty; turn += 1) {
  if (mode === 'fill') {
    const entries = spillEntries(number, number + 1 + (turn % 17), (turn * 37) % 400);
    number += entries.length;
    queue.write(entries);
    note(
      'w',
      entries.map(({ value }) => numberOf(value)),
    );
  }
  const read = queue.read({ maxRecords: mode === 'fill' ? turn % 19 : 100, maxBytes: 10_000 });
  if (read.length > 0)
    note(
      's',
      read.map(({ entry }) => numberOf(entry.value)),
    );
  unacknowledged.push(...read);
  // Answers come in any order, and some late.
  const answered = unacknowledged.filter((_, index) => mode === 'drain' || (index + turn) % 3 !== 0);
  for (const entry of answered) unacknowledged.splice(unacknowledged.indexOf(entry), 1);
  acknowledge(answered.reverse());
  process.send?.(turn);
  // The channel to the parent needs the event loop.
  if (turn % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
}
queue.close();
process.disconnect?.();
