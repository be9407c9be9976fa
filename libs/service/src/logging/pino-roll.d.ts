/** What is used of it; the package has no types of its own. */
declare module 'pino-roll' {
  import type { EventEmitter } from 'node:events';

  export interface RollingFile extends EventEmitter {
    write(line: string): boolean;
    end(): void;
    destroy(): void;
  }

  interface RollOptions {
    readonly file: string;
    /** `1024b`: bytes. */
    readonly size: string;
    readonly limit: { readonly count: number; readonly removeOtherLogFiles: boolean };
    readonly mkdir: boolean;
    /** Bytes that wait in memory at most; what comes then is dropped with the event `drop`. */
    readonly maxLength: number;
  }

  export default function roll(options: RollOptions): Promise<RollingFile>;
}
