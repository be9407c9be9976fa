import type { TopicPartition } from '../../event-log.js';
import { MemberAssignment, MemberMetadata } from '../wire/protocol.js';
import type { GroupMember as Member } from '../wire/requests.js';

/** All members of a group must name the same; tools show it. */
export const ASSIGNOR = 'roundrobin';
const FORMAT = 0;

/** What a member says of itself when it joins. */
export function subscription(topics: readonly string[]): Buffer {
  return MemberMetadata.encode({ version: FORMAT, topics });
}

/** Every topic that one of the members asks for. */
export function topicsOf(members: readonly Member[]): readonly string[] {
  return subscribersByTopic(members).map(([topic]) => topic);
}

/** What the leader of the group decides: each topic's partitions in turn to the members that asked for it. */
export function shareOut(
  members: readonly Member[],
  counts: ReadonlyMap<string, number>,
): readonly { readonly memberId: string; readonly memberAssignment: Buffer }[] {
  const shares = new Map<string, Map<string, number[]>>(members.map(({ memberId }) => [memberId, new Map()]));
  let turn = 0;
  for (const [topic, subscribers] of subscribersByTopic(members)) {
    for (let partition = 0; partition < (counts.get(topic) ?? 0); partition += 1) {
      const share = shares.get(subscribers[turn % subscribers.length] ?? '');
      share?.set(topic, [...(share.get(topic) ?? []), partition]);
      turn += 1;
    }
  }
  return [...shares].map(([memberId, share]) => ({
    memberId,
    memberAssignment: MemberAssignment.encode({ version: FORMAT, assignment: Object.fromEntries(share) }),
  }));
}

/** What a member is given; empty bytes when there is nothing for it. */
export function assignmentFrom(bytes: Buffer): readonly TopicPartition[] {
  const assignment = MemberAssignment.decode(bytes)?.assignment ?? {};
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => Object.freeze({ topic, partition })),
  );
}

/** Both in order of their names, so that the same members get the same again. */
function subscribersByTopic(members: readonly Member[]): readonly (readonly [string, readonly string[]])[] {
  const byTopic = new Map<string, string[]>();
  for (const { memberId, memberMetadata } of members) {
    for (const topic of MemberMetadata.decode(memberMetadata).topics) {
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), memberId]);
    }
  }
  return [...byTopic]
    .map(([topic, ids]) => [topic, ids.sort()] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
