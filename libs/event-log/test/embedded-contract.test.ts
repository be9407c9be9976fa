import { eventLogContract } from '../src/contract/index.js';
import { embeddedHarness } from './temp-log.js';

eventLogContract('EmbeddedEventLog', embeddedHarness);
