import { Buffer } from 'node:buffer';
import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { BatchTooLarge } from './batch-encoder.js';
import { failureReply } from './failure-reply.js';

const MORE_THAN_THERE_IS = 2 ** 52;

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (cause) {
    return cause;
  }
  return expect.fail('nothing was thrown');
}

describe('failureReply', () => {
  it.each([
    ['an array buffer', () => new ArrayBuffer(MORE_THAN_THERE_IS)],
    ['one that grows', () => new ArrayBuffer(8).transfer(MORE_THAN_THERE_IS)],
    ['bytes', () => new Uint8Array(MORE_THAN_THERE_IS)],
    ['more numbers than an array can have', () => new Int32Array(Number.MAX_SAFE_INTEGER)],
    ['a buffer', () => Buffer.alloc(MORE_THAN_THERE_IS)],
    ['buffers made one', () => Buffer.concat([Buffer.alloc(1)], MORE_THAN_THERE_IS)],
  ])('calls a batch too large when there is no memory for %s', (_what, allocate) => {
    const cause = thrownBy(allocate);
    expect(cause).toBeInstanceOf(RangeError);
    expect(failureReply('encode', cause).kind).toBe('tooLarge');
  });

  it('calls a batch too large when the encoder says so', () => {
    const cause = new BatchTooLarge('STORE_REFUSED', 'too many texts');
    expect(failureReply('encode', cause)).toEqual({ kind: 'tooLarge', message: 'too many texts' });
  });

  it.each([
    ['a place outside of an array', () => new DataView(new ArrayBuffer(8)).setInt32(8, 1)],
    ['an array set beyond its end', () => new Int32Array(4).set([1], 4)],
    ['a number that is no whole one', () => BigInt(0.5)],
  ])('does not call a fault of the program one of memory: %s', (_what, fault) => {
    const cause = thrownBy(fault);
    expect(cause).toBeInstanceOf(RangeError);
    expect(failureReply('encode', cause)).toMatchObject({ kind: 'failed', message: (cause as Error).message });
  });

  it('calls a file damaged when it claims more than there is memory for', () => {
    expect(
      failureReply(
        'inspect',
        thrownBy(() => new ArrayBuffer(MORE_THAN_THERE_IS)),
      ).kind,
    ).toBe('failed');
  });

  it('keeps the code of what was refused', () => {
    const cause = new MarketDataError('STORE_REFUSED', 'log_offset is too large');
    expect(failureReply('encode', cause)).toEqual({ kind: 'failed', message: cause.message, code: 'STORE_REFUSED' });
  });
});
