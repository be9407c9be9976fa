export { DEAD_LETTER_TOPIC, deadLetterEntry, logPositionText, type DeadLetter } from './dead-letter.js';
export { EmbeddedEventLog, type EmbeddedEventLogOptions } from './embedded/embedded-event-log.js';
export type {
  AppendOptions,
  CommittedOffset,
  ConsumeOptions,
  EventLog,
  LogEntry,
  LogRecord,
  OffsetRange,
  PartitionHandler,
  ReadLimits,
  ReadOptions,
  SourceProgress,
  TopicPartition,
  WaitOptions,
} from './event-log.js';
export { Slots } from './slots.js';
