export type { BrokerAddress } from './broker-address.js';
export type { Compression } from './codecs/compression.js';
export { KafkaEventLog } from './kafka-event-log.js';
export type { KafkaEventLogOptions } from './kafka-options.js';
