import { join } from 'node:path';
import { RunningService } from '@aipx/service/testing';
import { onTestFinished } from 'vitest';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

/** The service of one test. */
export class RunningApp extends RunningService {
  constructor(settings: Readonly<Record<string, string>>, args: readonly string[] = []) {
    super({ main: MAIN, settings, args });
    onTestFinished(() => this.dispose());
  }

  /** So many messages are published, by the log lines of `LOG_LEVEL=debug`, one every thousand. */
  async published(count: number): Promise<void> {
    await this.untilLine(
      ({ message, published }) => message.endsWith('messages published') && Number(published) >= count,
    );
  }
}
