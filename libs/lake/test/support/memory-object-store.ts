import type { ObjectStore } from '../../src/object-store/object-store.js';

/** The contract of an object store and nothing else. */
export class MemoryObjectStore implements ObjectStore {
  readonly objects = new Map<string, Uint8Array<ArrayBuffer>>();

  async putIfAbsent(key: string, body: Uint8Array): Promise<'created' | 'exists'> {
    if (this.objects.has(key)) return 'exists';
    this.objects.set(key, new Uint8Array(body));
    return 'created';
  }

  async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const object = this.objects.get(key);
    return object === undefined ? undefined : new Uint8Array(object);
  }

  async *list(prefix: string): AsyncGenerator<string> {
    yield* [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
  }
}
