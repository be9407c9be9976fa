import { Worker } from 'node:worker_threads';
import { MarketDataError } from '@aipx/market-model';
import { EVENT_TOPICS } from '@aipx/market-proto';
import { packRecords, transferList } from '@aipx/recording';
import { BatchTooLarge, type BatchEncoder } from './batch-encoder.js';
import type { EncodedBatch, EncodeJob } from './encode-batch.js';
import type { FileContent } from './inspect-file.js';
import type { Compression } from './parquet-table.js';
import type { WorkerReply, WorkerRequest } from './worker-messages.js';

const FROM_SOURCE = import.meta.url.endsWith('.ts');
const WORKER = new URL(FROM_SOURCE ? '../../test/support/worker-from-source.mjs' : './worker.js', import.meta.url);

/**
 * Of the thread's heap: the event that is being decoded, the texts that a row group has met, and garbage; several times
 * what any batch needs. Without a limit the garbage is collected by the measure of the whole machine's memory: the process
 * was 100 to 170 MB larger.
 *
 * Most memory is beside the heap: records, columns and files. The batch bounds it, in bytes and rows, and a row group the
 * part of it that stands in columns. Where an array cannot be had, the batch is too large as well.
 */
const HEAP_MB = 256;

/**
 * The one thread that writes Parquet. One batch at a time is in it; others wait their turn. A thread that ran out of memory is
 * replaced, and only its batch fails; one that ends for another reason has come upon a fault of the program.
 */
export class ParquetWorker implements BatchEncoder {
  readonly #compression: Compression;
  readonly #heapMb: number;
  #thread: Worker;
  #turn: Promise<unknown> = Promise.resolve();
  #waiting: PromiseWithResolvers<WorkerReply> | undefined;
  /** What it is asked now, in words. */
  #asked = 'nothing';
  #ended: MarketDataError | undefined;

  private constructor(compression: Compression, heapMb: number) {
    this.#compression = compression;
    this.#heapMb = heapMb;
    this.#thread = this.#startThread();
  }

  /**
   * Resolves when the thread has answered once, so that its memory is part of the process from the start.
   *
   * @param heapMb what its objects may take; the batch itself, as encoded records, columns and files, comes on top
   */
  static async start(compression: Compression = 'snappy', heapMb = HEAP_MB): Promise<ParquetWorker> {
    const worker = new ParquetWorker(compression, heapMb);
    await worker.encode({ partition: { topic: EVENT_TOPICS.tick, partition: 0 }, records: packRecords([]) });
    return worker;
  }

  async encode(job: Omit<EncodeJob, 'compression'>, signal?: AbortSignal): Promise<EncodedBatch> {
    const request: WorkerRequest = { kind: 'encode', job: { ...job, compression: this.#compression } };
    const asked = inWords(request);
    const reply = await this.#ask(request, transferList(job.records), signal);
    if (reply.kind === 'encoded') return reply.batch;
    if (reply.kind === 'tooLarge') throw tooLarge(`the Parquet worker had no room (${reply.message})`, asked);
    throw failure(reply);
  }

  async inspect(bytes: Uint8Array<ArrayBuffer>): Promise<FileContent> {
    const reply = await this.#ask({ kind: 'inspect', bytes }, []);
    if (reply.kind === 'inspected') return reply.content;
    throw failure(reply);
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }

  async #ask(request: WorkerRequest, transfer: ArrayBuffer[], signal?: AbortSignal): Promise<WorkerReply> {
    const asked = this.#turn.then(async () => {
      signal?.throwIfAborted();
      if (this.#ended !== undefined) throw this.#ended;
      const waiting = Promise.withResolvers<WorkerReply>();
      this.#waiting = waiting;
      this.#asked = inWords(request);
      this.#thread.ref(); // while it works the process must not end
      this.#thread.postMessage(request, transfer);
      try {
        return await waiting.promise;
      } finally {
        this.#waiting = undefined;
        this.#thread.unref();
      }
    });
    this.#turn = asked.catch(() => undefined);
    return asked;
  }

  #startThread(): Worker {
    const thread = new Worker(WORKER, { name: 'parquet', resourceLimits: { maxOldGenerationSizeMb: this.#heapMb } });
    thread.on('message', (reply: WorkerReply) => this.#waiting?.resolve(reply));
    thread.on('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ERR_WORKER_OUT_OF_MEMORY') this.#replace(thread);
      else this.#end(`the Parquet worker failed at ${this.#asked}: ${cause.message}`, cause);
    });
    thread.on('exit', (code) => {
      if (thread === this.#thread) this.#end(`the Parquet worker ended with code ${code}`);
    });
    thread.unref();
    return thread;
  }

  #replace(dead: Worker): void {
    if (dead !== this.#thread) return;
    this.#thread = this.#startThread();
    this.#waiting?.reject(tooLarge(`the Parquet worker ran out of its ${this.#heapMb} MB of memory`, this.#asked));
  }

  #end(message: string, cause?: unknown): void {
    this.#ended ??= new MarketDataError('STORE_UNAVAILABLE', message, { cause });
    this.#waiting?.reject(this.#ended);
  }
}

/** Before the request is sent: what it hands over is empty here afterwards. */
function inWords(request: WorkerRequest): string {
  if (request.kind === 'inspect') return `a file of ${request.bytes.byteLength} bytes`;
  const { partition, records } = request.job;
  const batch = `${records.offsets.length} records and ${records.values.byteLength} bytes`;
  return `a batch of ${partition.topic}/${partition.partition} from offset ${records.offsets[0] ?? 'none'}, ${batch}`;
}

function tooLarge(what: string, asked: string): BatchTooLarge {
  const wayOut = 'Set smaller batches (S3_BATCH_SIZE, S3_BATCH_BYTES)';
  return new BatchTooLarge('STORE_REFUSED', `${what} at ${asked}; nothing is lost. ${wayOut}`);
}

function failure(reply: WorkerReply): MarketDataError {
  if (reply.kind !== 'failed')
    return new MarketDataError('STORE_UNAVAILABLE', `the Parquet worker answered ${reply.kind}`);
  return new MarketDataError(reply.code ?? 'STORE_REFUSED', `the Parquet worker failed: ${reply.message}`);
}
