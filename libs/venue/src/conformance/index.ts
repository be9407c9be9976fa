export { conformanceRules, type ConformanceRule } from './rules.js';
export type { VenueSamples } from './samples.js';
export { describeVenueConformance } from './suite.js';
