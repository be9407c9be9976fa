import { describe } from 'vitest';
import { eventLogContract } from '../../src/contract/index.js';
import { kafkaHarness, noKafka, ON_KAFKA } from '../support/kafka-log.js';

describe.skipIf(noKafka)(ON_KAFKA, () => eventLogContract('KafkaEventLog', kafkaHarness));
