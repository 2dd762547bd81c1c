/** A journal's store that survives its master, which dies at an append: before it is written, or after. */
import type { StoredRecord } from "../src/journal/journal.ts";
import { MemoryStore } from "../src/journal/memory.ts";

/** Thrown out of an append: the master's process died there. */
export class Crash extends Error {}

export class CrashingStore extends MemoryStore {
  /** What happens at the next append. */
  next: "work" | "crash-before" | "crash-after" = "work";

  override insert(record: StoredRecord): boolean {
    const next = this.next;
    this.next = "work";
    if (next === "crash-before") throw new Crash();
    const inserted = super.insert(record);
    if (next === "crash-after") throw new Crash();
    return inserted;
  }
}
