/**
 * A process that appends frame after frame until it is killed, and tells its parent of each one the log has
 * acknowledged. Frame n holds three entries: two of one key and one of another topic.
 */
import { EmbeddedEventLog } from '../src/embedded/embedded-event-log.js';

const path = process.argv[2] ?? '';
const log = await EmbeddedEventLog.open({ path, topics: { 'market.tick': 3, 'market.orderbook': 2 } });
const headers = { exchange: 'upbit' };
for (let frame = await log.progressOf('frames'); ; frame += 1) {
  const key = `KRW-${frame % 10}`;
  const entries = ['a', 'b', 'book'].map((part) => ({
    topic: part === 'book' ? 'market.orderbook' : 'market.tick',
    key,
    value: Buffer.from(`${frame}${part}`),
    headers,
  }));
  await log.append(entries, { progress: { source: 'frames', frames: frame + 1 } });
  process.send?.(frame + 1);
  // The channel to the parent needs the event loop.
  if (frame % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
}
