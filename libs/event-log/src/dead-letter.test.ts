import { describe, expect, it } from 'vitest';
import { DEAD_LETTER_TOPIC, deadLetterEntry, logPositionText } from './dead-letter.js';

describe('a dead letter', () => {
  const letter = {
    position: 'upbit/0b1f/17/0',
    reason: 'VALIDATION_FRAME',
    message: 'no trade id',
    bytes: Uint8Array.of(0, 255, 10),
  } as const;

  it('keeps the bytes as they came, under their position, with the reason beside them', () => {
    expect(deadLetterEntry(letter)).toEqual({
      topic: DEAD_LETTER_TOPIC,
      key: 'upbit/0b1f/17/0',
      value: letter.bytes,
      headers: { 'content-type': 'application/octet-stream', reason: 'VALIDATION_FRAME', message: 'no trade id' },
    });
  });

  it('names the venue only where it is known', () => {
    expect(deadLetterEntry({ ...letter, exchange: 'upbit' }).headers['exchange']).toBe('upbit');
    expect(deadLetterEntry(letter).headers).not.toHaveProperty('exchange');
  });

  it('names a position of the log by topic, partition and offset', () => {
    expect(logPositionText({ topic: 'market.tick', partition: 3, offset: 12345678901234567890n })).toBe(
      'market.tick/3/12345678901234567890',
    );
  });
});
