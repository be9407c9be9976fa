/*
 * What may happen to a partition between its assignment and its revocation. Each owner has its own view of it; the
 * position in the store, compared and moved by the transaction that stores the rows, decides between owners.
 */

export type HotState = keyof typeof HOT_PROTOCOL;
export type HotStep = 'cut' | 'stored' | 'unknown' | 'failed' | 'landed' | 'absent' | 'fenced' | 'revoked';

/** From state to state. A step that a state does not name cannot happen in it. */
export const HOT_PROTOCOL = {
  /** Assigned: what is handed over waits for a batch. */
  waiting: { cut: 'writing', revoked: 'revoked' },
  /** The head is in a transaction that has not been answered. */
  writing: { stored: 'waiting', unknown: 'doubtful', failed: 'writing', fenced: 'fenced', revoked: 'revoked' },
  /** The answer of COMMIT was lost: all of the batch is stored or none, and only the position tells. */
  doubtful: { landed: 'waiting', absent: 'writing', failed: 'doubtful', fenced: 'fenced', revoked: 'revoked' },
  /** The position is elsewhere, or no new try can help: nothing is written until the partition is assigned anew. */
  fenced: { revoked: 'revoked' },
  /** Nothing of it is begun any more. The answer to what was under way may still come. */
  revoked: { stored: 'revoked', unknown: 'revoked', landed: 'revoked', absent: 'revoked' },
} as const satisfies Readonly<Record<string, Partial<Record<HotStep, string>>>>;

/** @throws {TypeError} for a step that cannot happen: a mistake of the program */
export function stepFrom(state: HotState, step: HotStep): HotState {
  const next = (HOT_PROTOCOL[state] as Partial<Record<HotStep, HotState>>)[step];
  if (next === undefined) throw new TypeError(`a partition that is ${state} cannot be ${step}`);
  return next;
}
