import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MessageFramer, textOf } from '../src/proxy/message-framer.ts';

function message(type: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(type, 'latin1'), length, body]);
}

const STREAM = [
  message('', Buffer.from('startup')),
  message('Q', Buffer.from('COMMIT\0')),
  message('d', Buffer.alloc(3_000, 7)),
  message('c', Buffer.alloc(0)),
];

it('finds the same messages however the stream is cut into chunks', () => {
  const bytes = Buffer.concat(STREAM);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
      const framer = new MessageFramer(false);
      const ends = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const found = ends.slice(1).flatMap((end, at) => framer.take(bytes.subarray(ends[at], end)));
      expect(found.map(({ type }) => type)).toEqual(['', 'Q', 'd', 'c']);
      expect(Buffer.concat(found.map((one) => one.bytes)).equals(bytes)).toBe(true);
    }),
  );
});

it('reads the text of a query', () => {
  const [query] = new MessageFramer(true).take(message('Q', Buffer.from('COMMIT\0')));
  expect(query && textOf(query)).toBe('COMMIT');
});
