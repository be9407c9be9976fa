export type { KeyUsage } from './keys.js';
export type { Account, KisSimulatorSettings } from './settings.js';
export { createKisSimulator, type KisSimulator } from './venue.js';
