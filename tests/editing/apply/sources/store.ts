import type { Entry, Options } from "./types";
import { now } from "./clock";

export interface Store<T> {
  readonly size: number;
  get(key: string): T | undefined;
  set(key: string, value: T): void;
}

const defaults: Options = {
  capacity: 100,
  expiry: (age: number) => {
    return age > 60_000;
  },
  onEvict: (key: string) => {
    console.debug(key);
  },
};

export class MemoryStore<T> implements Store<T> {
  private entries = new Map<string, Entry<T>>();

  constructor(private options: Options = defaults) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string): T | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) {
      return undefined;
    }
    if (this.options.expiry(now() - entry.since)) {
      this.entries.delete(key);
      this.options.onEvict(key);
      return undefined;
    }
    return entry.value;
  }

  set(key: string, value: T): void {
    const since = now();
    this.entries.set(key, { value, since });
    if (this.size > this.options.capacity) {
      this.evict();
    }
  }

  private evict(): void {
    const oldest = this.entries.keys().next().value;
    if (oldest !== undefined) {
      this.entries.delete(oldest);
      this.options.onEvict(oldest);
    }
  }
}
