import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from './nearest.js';

const NAMES = ['KAFKA_LINGER', 'KAFKA_ACKS', 'LOG_LEVEL', 'BUFFER_BOOK_TTL'];

describe('the nearest name', () => {
  it.each([
    ['KAFKA_LINGR', 'KAFKA_LINGER'],
    ['KAKFA_LINGER', 'KAFKA_LINGER'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['log-level', 'LOG_LEVEL'],
    ['BUFFER_BOOKS_TTL', 'BUFFER_BOOK_TTL'],
  ])('of %s is %s', (slip, meant) => {
    expect(nearest(slip, NAMES)).toBe(meant);
  });

  it('is none when nothing is near', () => {
    expect(nearest('REDIS_HOST', NAMES)).toBeUndefined();
    expect(nearest('', NAMES)).toBeUndefined();
  });
});

describe('the edit distance', () => {
  it.each([
    ['', '', 0],
    ['abc', 'abc', 0],
    ['', 'abc', 3],
    ['abc', 'acb', 1],
    ['kitten', 'sitting', 3],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});
