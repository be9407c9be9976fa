import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader } from './frame-reader.js';

function framed(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

describe('the answers on a connection', () => {
  it('are the same however the bytes come in', () => {
    const bodies = fc.array(fc.uint8Array({ minLength: 4, maxLength: 40 }), { maxLength: 8 });
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(60)), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(framed));
        const reader = new FrameReader();
        const received: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts, bytes.length]) {
          received.push(...reader.read(bytes.subarray(at, at + cut)));
          at = Math.min(at + cut, bytes.length);
        }
        expect(received.map((frame) => frame.toString('hex'))).toEqual(
          sent.map((body) => Buffer.from(body).toString('hex')),
        );
      }),
    );
  });

  it.each([-1, 0, 3, 2 ** 30])('cannot have a length of %i', (length) => {
    const bytes = Buffer.alloc(8);
    bytes.writeInt32BE(length);
    expect(() => [...new FrameReader().read(bytes)]).toThrow(RangeError);
  });
});
