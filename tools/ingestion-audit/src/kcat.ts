import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** One record of a topic, as kcat printed it. */
export interface KafkaMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** `name=value,name=value`, in their order. */
  readonly headers: string;
  readonly value: Uint8Array;
}

/** Why Kafka cannot be read here with kcat and how to get it; `undefined` when it can. */
export function kcatUnavailable(): string | undefined {
  const { stdout, stderr, error } = spawnSync('kcat', ['-V'], { encoding: 'utf8' });
  const get = 'install it (Debian, Ubuntu: apt-get install kcat; macOS: brew install kcat)';
  if (error !== undefined) return `kcat is not on the PATH: ${get}`;
  return `${stdout}${stderr}`.includes('zstd') ? undefined : `kcat here cannot read zstd: ${get} built with it`;
}

const LINE_FEED = 0x0a;
// One line of numbers and headers, then key and value by their lengths, so that any byte may stand in them.
const FORMAT = '%p %o %K %S %h\\n%k%s';

/**
 * Reads a topic from its beginning to its present end with kcat, a client that shares no code with ours.
 *
 * @throws when kcat fails, or prints what it was not asked for
 */
export async function readTopic(
  brokers: readonly string[],
  topic: string,
  onMessage: (message: KafkaMessage) => void,
  signal: AbortSignal,
): Promise<void> {
  const where = ['-C', '-b', brokers.join(','), '-t', topic, '-o', 'beginning'];
  const how = ['-e', '-q', '-X', 'check.crcs=true', '-f', FORMAT];
  const kcat = spawn('kcat', [...where, ...how], { stdio: ['ignore', 'pipe', 'pipe'], signal });
  const ended = once(kcat, 'close') as Promise<[number | null]>;
  ended.catch(() => undefined);
  let complaint = '';
  kcat.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-2_000)));
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of kcat.stdout) {
    rest = takeMessages(
      topic,
      rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]),
      onMessage,
    );
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`kcat could not read ${topic} (exit code ${code}): ${complaint.trim()}`);
  if (rest.length > 0) throw new Error(`kcat ended in the middle of a record of ${topic}`);
}

/** Passes on every message that is complete. @returns what is left */
export function takeMessages(topic: string, bytes: Buffer, onMessage: (message: KafkaMessage) => void): Buffer {
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf(LINE_FEED, at);
    if (lineEnd === -1) return bytes.subarray(at);
    const line = bytes.toString('utf8', at, lineEnd);
    const parts = /^(\d+) (\d+) (-?\d+) (-?\d+) ?(.*)$/.exec(line);
    if (parts === null)
      throw new Error(`kcat printed ${JSON.stringify(line.slice(0, 200))} in place of a record of ${topic}`);
    const [, partition, offset, keyLength, valueLength, headers = ''] = parts;
    const keyEnd = lineEnd + 1 + Math.max(0, Number(keyLength));
    const end = keyEnd + Math.max(0, Number(valueLength));
    if (end > bytes.length) return bytes.subarray(at);
    onMessage({
      topic,
      partition: Number(partition),
      offset: Number(offset),
      key: bytes.toString('utf8', lineEnd + 1, keyEnd),
      headers,
      value: bytes.subarray(keyEnd, end),
    });
    at = end;
  }
}
