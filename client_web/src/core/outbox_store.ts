/** Where the queue is kept: IndexedDB, and memory where a browser keeps nothing. */
import { database } from './database';
import type { Entry, OutboxStore } from './outbox';

/** Dies with the page. */
export class MemoryStore implements OutboxStore {
  readonly durable: boolean = false;
  private readonly entries = new Map<string, Entry>();

  async all(): Promise<Entry[]> {
    return [...this.entries.values()];
  }

  async add(entry: Entry): Promise<void> {
    this.entries.set(entry.nonce, entry);
  }

  async change(nonces: string[], change: (entry: Entry) => Entry | null): Promise<void> {
    for (const nonce of nonces) {
      const entry = this.entries.get(nonce);
      const next = entry && change(entry);
      if (next) this.entries.set(nonce, next);
      else this.entries.delete(nonce);
    }
  }
}

/** `strict`: the disk has it, not only the operating system; a battery may die the moment after. */
const WRITE = { durability: 'strict' } as const;

class IndexedStore implements OutboxStore {
  readonly durable = true;

  async all(): Promise<Entry[]> {
    return (await database()).getAll('entries');
  }

  async add(entry: Entry): Promise<void> {
    const transaction = (await database()).transaction('entries', 'readwrite', WRITE);
    await Promise.all([transaction.store.add(entry), transaction.done]);
  }

  async change(nonces: string[], change: (entry: Entry) => Entry | null): Promise<void> {
    if (!nonces.length) return;
    const transaction = (await database()).transaction('entries', 'readwrite', WRITE);
    for (const nonce of nonces) {
      const entry = await transaction.store.get(nonce);
      if (!entry) continue;
      const next = change(entry);
      if (next) await transaction.store.put(next);
      else await transaction.store.delete(nonce);
    }
    await transaction.done;
  }
}

/** Falls back to memory, and says so, when the disk is full or the browser takes its database away. */
export class FallbackStore implements OutboxStore {
  private failed = false;

  constructor(
    private readonly disk: OutboxStore,
    private readonly memory: OutboxStore = new MemoryStore(),
  ) {}

  get durable(): boolean {
    return !this.failed;
  }

  async all(): Promise<Entry[]> {
    return [...(await this.tried(this.disk.all(), [])), ...(await this.memory.all())];
  }

  async add(entry: Entry): Promise<void> {
    try {
      await this.disk.add(entry);
    } catch {
      this.failed = true;
      await this.memory.add(entry);
    }
  }

  async change(nonces: string[], change: (entry: Entry) => Entry | null): Promise<void> {
    const inMemory = new Set((await this.memory.all()).map(({ nonce }) => nonce));
    await this.memory.change(nonces.filter((nonce) => inMemory.has(nonce)), change);
    await this.disk.change(nonces.filter((nonce) => !inMemory.has(nonce)), change).catch((error: unknown) => {
      this.failed = true;
      throw error; // the entry stays as it was, and is sent again: the server knows its nonce
    });
  }

  private async tried<T>(reading: Promise<T>, otherwise: T): Promise<T> {
    try {
      return await reading;
    } catch {
      this.failed = true;
      return otherwise;
    }
  }
}

export function openStore(): OutboxStore {
  return new FallbackStore(new IndexedStore());
}
