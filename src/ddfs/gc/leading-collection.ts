/** What clients ask of garbage collection at a master of a cluster: there is one collector, at the master that leads. */
import type { Collection } from "../ddfs.ts";

/** `refusal`: why this master does not collect. */
export function leadingCollection(collector: () => Collection | null, refusal: () => Error): Collection {
  const leading = (): Collection => {
    const found = collector();
    if (found === null) throw refusal();
    return found;
  };
  return {
    gcStart: async () => await leading().gcStart(),
    gcStatus: async () => await leading().gcStatus(),
    gcStats: async () => await leading().gcStats(),
    safeGcBlacklist: async () => await leading().safeGcBlacklist(),
    scrubStart: async (options) => await leading().scrubStart(options),
    scrubStatus: async () => await leading().scrubStatus(),
    async *fsck() {
      yield* leading().fsck();
    },
  };
}
