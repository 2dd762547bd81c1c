/** Masters that this process has open, whose tags it can ask for: the latest last. What asks them is loaded when there is something to ask. */
import type { DdfsApi } from "./ddfs-api.ts";

export interface TagSource {
  /** Base URLs of its masters, any of which is as good; none: the engine in this process. */
  readonly urls: readonly string[];
  ddfs(): Promise<Pick<DdfsApi, "tag">>;
}

const open = new Set<TagSource>();

/** From now on it is asked, before all others. */
export function rememberTags(source: TagSource): void {
  open.delete(source);
  open.add(source);
}

export function forgetTags(source: TagSource): void {
  open.delete(source);
}

/** The latest first. */
export function tagSources(): TagSource[] {
  return [...open].reverse();
}
