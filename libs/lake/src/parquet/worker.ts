import { parentPort } from 'node:worker_threads';
import { transferList } from '@aipx/recording';
import { encodeBatch, type EncodedBatch, type EncodeJob } from './encode-batch.js';
import { failureReply } from './failure-reply.js';
import { inspectFile } from './inspect-file.js';
import type { WorkerReply, WorkerRequest } from './worker-messages.js';

/** The thread in which batches are decoded and Parquet files are written. */
const port = parentPort;
if (port === null) throw new Error('the Parquet worker was not started as a worker thread');

port.on('message', (request: WorkerRequest) => {
  void answer(request).then((reply) => {
    port.postMessage(reply, reply.kind === 'encoded' ? reply.batch.hours.map(({ bytes }) => bytes.buffer) : []);
  });
});

async function answer(request: WorkerRequest): Promise<WorkerReply> {
  try {
    switch (request.kind) {
      case 'encode':
        return { kind: 'encoded', batch: encodeAndFree(request.job) };
      case 'inspect':
        return { kind: 'inspected', content: await inspectFile(request.bytes) };
    }
  } catch (cause) {
    return failureReply(request.kind, cause);
  }
}

/** The records are this thread's alone by now. Freed at once: left to the garbage collector, several batches pile up. */
function encodeAndFree(job: EncodeJob): EncodedBatch {
  try {
    return encodeBatch(job);
  } finally {
    for (const buffer of transferList(job.records)) buffer.transfer(0);
  }
}
