import { join } from 'node:path';
import { Child } from '../ingestion/child.ts';

export interface ProducerTask {
  readonly brokers: readonly string[];
  /** Of each topic that it has to make. */
  readonly partitions: number;
  /** Records a second. */
  readonly rate: number;
  /** In all. */
  readonly records: number;
}

export interface ProducerResult {
  readonly sent: { readonly tick: number; readonly orderbook: number };
  /** Records a second that it could send. */
  readonly heldRate: number;
}

const SCRIPT = join(import.meta.dirname, 'producer-process.ts');

/** A producer of its own process, which has its records ready and has made the topics. */
export async function startProducer(task: ProducerTask, signal: AbortSignal): Promise<Child> {
  const child = Child.start(SCRIPT, task, []);
  try {
    await child.says<'ready'>(signal);
    return child;
  } catch (cause) {
    await child[Symbol.asyncDispose]();
    throw cause;
  }
}
