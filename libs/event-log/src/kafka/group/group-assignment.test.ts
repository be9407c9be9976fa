import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignmentFrom, shareOut, subscription } from './group-assignment.js';

const TOPICS = ['market.tick', 'market.orderbook', 'market.gap'];
const FIVE_EACH = new Map(TOPICS.map((topic) => [topic, 5]));
const member = fc.record({
  memberId: fc.uuid(),
  topics: fc.subarray(TOPICS),
});

describe('the shares of a group', () => {
  it('hold each partition once, with a member that asked for it, as many each as the next', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(member, { selector: ({ memberId }) => memberId, minLength: 1, maxLength: 8 }),
        fc.nat(12),
        (members, count) => {
          const shares = shareOut(
            members.map(({ memberId, topics }) => ({ memberId, memberMetadata: subscription(topics) })),
            new Map(TOPICS.map((topic) => [topic, count])),
          ).map(({ memberId, memberAssignment }) => ({ memberId, partitions: assignmentFrom(memberAssignment) }));
          expect(shares.map(({ memberId }) => memberId).sort()).toEqual(members.map(({ memberId }) => memberId).sort());
          const asked = (id: string) => members.find(({ memberId }) => memberId === id)?.topics ?? [];
          for (const { memberId, partitions } of shares) {
            for (const { topic } of partitions) expect(asked(memberId)).toContain(topic);
          }
          const wanted = TOPICS.filter((topic) => members.some(({ topics }) => topics.includes(topic)));
          const names = shares.flatMap(({ partitions }) =>
            partitions.map(({ topic, partition }) => `${topic}/${partition}`),
          );
          expect(names.sort()).toEqual(
            wanted.flatMap((topic) => Array.from({ length: count }, (_, partition) => `${topic}/${partition}`)).sort(),
          );
          if (
            members.every(
              ({ topics }) => topics.length === members[0]?.topics.length && topics.length === TOPICS.length,
            )
          ) {
            const sizes = shares.map(({ partitions }) => partitions.length);
            expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });

  it('are the same whoever joined first', () => {
    const members = ['a', 'b', 'c'].map((memberId) => ({ memberId, memberMetadata: subscription(TOPICS) }));
    const byId = (shares: ReturnType<typeof shareOut>) =>
      Object.fromEntries(shares.map(({ memberId, memberAssignment }) => [memberId, memberAssignment.toString('hex')]));
    expect(byId(shareOut(members, FIVE_EACH))).toEqual(byId(shareOut([...members].reverse(), FIVE_EACH)));
  });

  it('are empty for whom the coordinator sends no bytes', () => {
    expect(assignmentFrom(Buffer.alloc(0))).toEqual([]);
  });
});
