import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** Topic, partition, offset and headers of a record, parted by tabs. */
const FORMAT = '%t\\t%p\\t%o\\t%h\\n';

/**
 * Writes a line for every record that the topics hold, with kcat, a client that shares no code with the recorder's.
 *
 * @throws when kcat cannot read them
 */
export async function writeLogLines(
  brokers: readonly string[],
  topics: readonly string[],
  path: string,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, topic] of topics.entries()) {
    const where = ['-C', '-b', brokers.join(','), '-t', topic, '-o', 'beginning', '-e', '-q'];
    const kcat = spawn('kcat', [...where, '-X', 'check.crcs=true', '-f', FORMAT], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    const ended = once(kcat, 'close') as Promise<[number | null]>;
    let complaint = '';
    kcat.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-2_000)));
    await pipeline(kcat.stdout, createWriteStream(path, { flags: index === 0 ? 'w' : 'a' }));
    const [code] = await ended;
    if (code !== 0) throw new Error(`kcat could not read ${topic} (exit code ${code}): ${complaint.trim()}`);
  }
}
