export { RunningService, type LogLine, type RunningServiceOptions } from './running-service.js';
