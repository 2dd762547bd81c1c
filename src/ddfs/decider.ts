/** What DDFS needs of the master that records its decisions (`master/coordinator.ts`). */
import type { DdfsEvent } from "../core/ddfs/events.ts";
import type { Tags } from "../core/ddfs/tags.ts";

export interface Decider {
  readonly machine: { readonly tags: Tags; readonly gcBlacklist: ReadonlySet<string> };
  /** @throws DiscoError `not-leading`, `read-only`, what the core objects to: then nothing was recorded */
  record(events: readonly DdfsEvent[]): void;
  /** Resolves when all that was recorded is in the journal. */
  committed(): Promise<void>;
  /** Resolves when all that the machine knows is. */
  assured(): Promise<void>;
  /** @throws DiscoError where nothing new may begin */
  assertRoom(): void;
}
