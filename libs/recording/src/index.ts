export type { Recorder } from "./recorder.js"; export { recordHash } from "./record-hash.js";
