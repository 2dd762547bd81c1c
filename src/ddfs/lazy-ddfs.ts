/** DDFS that is opened when it is used for the first time: most scripts run jobs, and start sooner without it. */
import type { DdfsApi, FsckFinding } from "../client/ddfs/ddfs-api.ts";

type Method = Exclude<keyof DdfsApi, "fsck">;
type Call<M extends Method> = (...given: Parameters<DdfsApi[M]>) => ReturnType<DdfsApi[M]>;

/** `open` is asked each time, and opens once. */
export function lazyDdfs(open: () => Promise<DdfsApi>): DdfsApi {
  const call = <M extends Method>(name: M): Call<M> =>
    // Each method answers with a promise of its own kind, which the compiler cannot see through the name.
    ((...given: unknown[]) =>
      open().then((ddfs) => (ddfs[name] as (...all: unknown[]) => unknown).apply(ddfs, given))) as unknown as Call<M>;
  return {
    newBlob: call("newBlob"),
    putBlob: call("putBlob"),
    openBlob: call("openBlob"),
    statBlob: call("statBlob"),
    tags: call("tags"),
    tag: call("tag"),
    getAttr: call("getAttr"),
    setAttr: call("setAttr"),
    delAttr: call("delAttr"),
    link: call("link"),
    putTag: call("putTag"),
    deleteTag: call("deleteTag"),
    space: call("space"),
    hostedTags: call("hostedTags"),
    gcStart: call("gcStart"),
    gcStatus: call("gcStatus"),
    gcStats: call("gcStats"),
    safeGcBlacklist: call("safeGcBlacklist"),
    scrubStart: call("scrubStart"),
    scrubStatus: call("scrubStatus"),
    async *fsck(): AsyncGenerator<FsckFinding> {
      yield* (await open()).fsck();
    },
  };
}
