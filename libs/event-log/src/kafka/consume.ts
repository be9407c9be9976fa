import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import type { ConsumeOptions, PartitionHandler } from '../event-log.js';
import { CommittedOffsets } from './group/committed-offsets.js';
import { Coordinator } from './group/coordinator.js';
import { GroupMember, type Membership } from './group/group-member.js';
import { keepMembership } from './group/keep-membership.js';
import { PartitionShare, type ShareParts } from './partition-share.js';
import { abortable, patiently, pause } from './waiting.js';

export interface ConsumerParts extends ShareParts {
  readonly sessionTimeoutMs: number;
  /** How old what is known of topics and brokers may become, ms. */
  readonly metadataMaxAgeMs: number;
}

/** A group has no coordinator for a moment when it is the first of a cluster, or while members come and go: for so long, ms. */
const QUIET_MS = 3_000;

/**
 * Takes part in the group until `stop` aborts: what it is given is assigned to the handler and fed to it; when the group
 * rebalances, or goes on without this member, that is revoked before anything else is assigned.
 */
export async function consume(
  parts: ConsumerParts,
  options: ConsumeOptions,
  handler: PartitionHandler,
  stop: AbortSignal,
): Promise<void> {
  const coordinator = new Coordinator({ ...parts, ...options });
  const member = new GroupMember({ ...parts, ...options, coordinator });
  const purpose = `offsets-${parts.name}`;
  const serve = async (membership: Membership, over: AbortSignal) => {
    const share = new PartitionShare(parts, options, handler, AbortSignal.any([stop, over]));
    const positions = () => share.positions();
    const offsets = new CommittedOffsets({ ...parts, ...options, coordinator, membership, purpose, positions });
    await share.serve(membership.partitions, offsets);
  };
  try {
    while (!stop.aborted) {
      const patience = { signal: stop, onFault: parts.onFault, quietMs: QUIET_MS };
      const membership = await patiently(() => member.join(stop), patience);
      await holding(parts, options, member, membership, (over) => serve(membership, over));
    }
  } catch (cause) {
    if (!stop.aborted || cause !== stop.reason) throw cause;
  } finally {
    await member.leave();
    const left = new MarketDataError('CONNECTION_LOST', `group ${options.group} was left`, { retryable: true });
    parts.cluster.end(purpose, left);
  }
}

/** Does the work, and aborts it when what the member was given is its own no longer or is to be shared out anew. */
async function holding(
  parts: ConsumerParts,
  { group }: ConsumeOptions,
  member: GroupMember,
  membership: Membership,
  work: (over: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const done = new AbortController();
  const onOver = () => over.abort();
  const beside = [
    keepMembership(member, membership, { ...parts, group }, done.signal, onOver),
    watchPartitions(parts, membership, done.signal, onOver),
  ];
  try {
    await work(over.signal);
  } finally {
    done.abort();
    await Promise.all(beside);
  }
}

/** Looks at the topics now and then. The leader of the group has them shared out anew when one has other partitions. */
async function watchPartitions(
  { cluster, metadataMaxAgeMs, onFault }: ConsumerParts,
  { counts }: Membership,
  stop: AbortSignal,
  onOver: () => void,
): Promise<void> {
  while (!stop.aborted) {
    await pause(metadataMaxAgeMs, stop);
    if (stop.aborted) return;
    try {
      await abortable(cluster.refresh(), stop);
    } catch (cause) {
      if (!stop.aborted) onFault(asMarketDataError(cause, 'CONNECTION_FAILED'));
    }
    if ([...counts].some(([topic, count]) => (cluster.partitionCount(topic) ?? count) !== count)) onOver();
  }
}
