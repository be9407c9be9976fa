import { join } from 'node:path';
import { RunningService } from '@aipx/service/testing';
import { onTestFinished } from 'vitest';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

/** The service of one test. */
export class RunningApp extends RunningService {
  constructor(settings: Readonly<Record<string, string>>, args: readonly string[] = []) {
    super({ main: MAIN, settings: { LOG_LEVEL: 'debug', ...settings }, args });
    onTestFinished(() => this.dispose());
  }

  /** The sink has been handed so many records since the process began. */
  async reads(sink: 'timescaledb' | 's3', records: number): Promise<void> {
    await this.untilLine((line) => line['sink'] === sink && Number(line['read']) >= records);
  }

  /** Looks again after each batch that was stored until it is so. */
  async storesUntil(isSo: () => Promise<boolean>): Promise<void> {
    for (;;) {
      const seen = this.lines.length;
      if (await isSo()) return;
      await this.untilLine((line) => 'stored' in line && this.lines.indexOf(line) >= seen);
    }
  }

  /** The sink is done with so many records since the process began. */
  async stored(sink: 'timescaledb' | 's3', records: number): Promise<void> {
    await this.untilLine((line) => line['sink'] === sink && Number(line['stored']) >= records);
  }
}
