import type { AuditBook, AuditTick } from '../records.ts';

/** What one frame says; nothing for protocol talk. */
export interface FrameContents {
  readonly ticks: readonly AuditTick[];
  readonly books: readonly AuditBook[];
}
