import { deadlock } from './deadlock.ts';
import type { Fault } from './fault.ts';
import { fullDisk } from './full-disk.ts';
import { membersChange, sleeper } from './members.ts';
import { offsetsDeleted, offsetsMoved } from './offsets.ts';
import { retentionInBacklog, retentionInBatch } from './retention.ts';
import { brokerRestart, databaseRestart, everythingDown, s3Outage } from './servers.ts';

/** What happens to the recorders' world beside the kills. */
export const FAULTS = {
  'broker killed and started': brokerRestart,
  'database crashed and started': databaseRestart,
  'S3 server killed and started': s3Outage,
  'all three at once': everythingDown,
  'deadlock in the database': deadlock,
  'disk of the database full': fullDisk,
  'recorder joins or leaves': membersChange,
  'recorder sleeps past its session': sleeper,
  'group offsets deleted': offsetsDeleted,
  'group offsets moved anywhere': offsetsMoved,
  'retention inside a planned batch': retentionInBatch,
  'retention in the backlog': retentionInBacklog,
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
