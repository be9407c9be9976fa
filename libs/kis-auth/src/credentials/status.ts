/** Numbers of one credential in this process, for metrics; nothing secret. Times in ms since the epoch. */
export interface CredentialStatus {
  /** Of the credential that is held now. */
  issuedAt: number | undefined;
  expiresAt: number | undefined;
  /** Asked of KIS with success, first ones and refreshes. */
  issues: number;
  /** Those of them that took the place of a valid one before its end. */
  refreshes: number;
  /** Taken over from another process. */
  pickups: number;
  /** Held ones that were put back into a store that had lost them. */
  putBacks: number;
  /** Times that something had to be waited for before one was there. */
  waits: number;
  /** Why it waits now. */
  waitingFor: string | undefined;
  /** Failed attempts by KIS' code, else by ours. */
  readonly errors: Record<string, number>;
}

export function emptyStatus(): CredentialStatus {
  return {
    issuedAt: undefined,
    expiresAt: undefined,
    issues: 0,
    refreshes: 0,
    pickups: 0,
    putBacks: 0,
    waits: 0,
    waitingFor: undefined,
    errors: {},
  };
}
