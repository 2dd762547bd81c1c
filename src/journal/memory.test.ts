import { journalContract } from "./contract.ts";
import { MemoryStore, openMemoryJournal } from "./memory.ts";

journalContract("a memory journal", async () => {
  const store = new MemoryStore();
  return { journal: openMemoryJournal(store), reopen: async () => openMemoryJournal(store), dispose: async () => {} };
});
