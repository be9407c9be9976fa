export { RunningService, type LogLine } from './running-service.js';
