import type { EventLog } from '../event-log.js';

/** One log under test, empty at first. */
export interface LogHarness {
  /** Opens the same log with these topics (partitions by name); again after the one before was closed. */
  open(topics: Readonly<Record<string, number>>): Promise<EventLog>;
  /** Removes the log. What was opened is closed by then. */
  dispose(): Promise<void>;
}

export type NewHarness = () => Promise<LogHarness>;
