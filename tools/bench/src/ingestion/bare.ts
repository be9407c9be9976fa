import { join } from 'node:path';
import { Child } from './child.ts';
import { LatencyHistogram, type Bucket } from './latency.ts';
import { UsageWatch, type Usage } from './usage.ts';

export interface BareTask {
  readonly brokers: readonly string[];
  /** File with the records. */
  readonly tape: string;
  /** Records a second. */
  readonly rate: number;
  readonly warmUpMs: number;
  /** After the warm-up, or until the tape ends. */
  readonly forMs: number;
}

/** What the process says when it is done. */
export interface BareResult {
  readonly sent: number;
  /** From the time at which a record of this rate is due to its acknowledgement. */
  readonly fromDue: readonly Bucket[];
  /** From a send to its acknowledgement. */
  readonly fromSend: readonly Bucket[];
}

export interface BareMeasurement {
  readonly sent: number;
  readonly fromDue: LatencyHistogram;
  readonly fromSend: LatencyHistogram;
  readonly usage: Usage;
}

const SCRIPT = join(import.meta.dirname, 'bare-process.ts');

/** Sends a tape with a bare kafkajs producer in a process of its own, to topics named `bare.` and then as on the tape. */
export async function measureBare(
  task: BareTask,
  nodeFlags: readonly string[],
  signal: AbortSignal,
): Promise<BareMeasurement> {
  await using child = Child.start(SCRIPT, task, nodeFlags);
  const watch = new UsageWatch({ bare: child.pid });
  const [{ sent, fromDue, fromSend }] = await Promise.all([child.says<BareResult>(signal), watch.start()]);
  const { bare: usage } = await watch.stop();
  return { sent, usage, fromDue: new LatencyHistogram(fromDue), fromSend: new LatencyHistogram(fromSend) };
}
