import { asMarketDataError, MarketDataError } from '@aipx/market-model';
import { pause } from '../waiting.js';
import type { GroupMember, Membership } from './group-member.js';

export interface KeepingOptions {
  readonly group: string;
  readonly sessionTimeoutMs: number;
  readonly onFault: (error: MarketDataError) => void;
}

const HEARTBEATS_A_SESSION = 10;

/**
 * Sends heartbeats until `stop` aborts. Calls `onOver` when what this member was given may be its own no longer: the
 * group rebalances, goes on without it, or has not heard of it for a session. Heartbeats go on all the same, so that
 * there is time to hand it back.
 */
export async function keepMembership(
  member: GroupMember,
  membership: Membership,
  { group, sessionTimeoutMs, onFault }: KeepingOptions,
  stop: AbortSignal,
  onOver: () => void,
): Promise<void> {
  // A timer of its own: no heartbeat that hangs may hold it up.
  let expiry: NodeJS.Timeout | undefined;
  const expect = () => {
    clearTimeout(expiry);
    expiry = setTimeout(expire, Math.ceil(membership.heardAt + sessionTimeoutMs - performance.now()));
  };
  const expire = () => {
    onFault(
      new MarketDataError(
        'CONNECTION_LOST',
        `group ${group} has not heard of this member for ${sessionTimeoutMs} ms and may have given its partitions away`,
        { context: { group }, retryable: true },
      ),
    );
    onOver();
  };
  expect();
  try {
    while (!stop.aborted) {
      await pause(sessionTimeoutMs / HEARTBEATS_A_SESSION, stop);
      if (stop.aborted) return;
      try {
        if (await member.beat(membership, stop)) onOver();
        expect();
      } catch (cause) {
        if (!stop.aborted) onFault(asMarketDataError(cause, 'CONNECTION_LOST'));
      }
    }
  } finally {
    clearTimeout(expiry);
  }
}
