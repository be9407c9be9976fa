/** What a command has of the process that it runs in. */
export interface CommandContext {
  readonly out: (text: string) => void;
  /** Standard error: progress and notes. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface CommonFlags {
  readonly config?: string;
}
