/**
 * A store that all nodes share is no node, and has nobody who answers for it on the bus: the master that leads does, under the store's
 * name. So garbage is collected there as it is on a node: listed once, deleted by the same rules, read for damage.
 *
 * What others keep in the same place must never be anybody's garbage: nothing is answered before it is known that it is this cluster's.
 */
import type { Bus } from "../../bus/bus.ts";
import { fromJsonBytes, toJsonBytes } from "../../bus/json.ts";
import { part } from "../../bus/subjects.ts";
import { CommError, DiscoError } from "../../errors.ts";
import { serveBlobSubjects } from "../../node/ddfs/blob-subjects.ts";
import type { OwnBlobs } from "../../node/ddfs/own-blobs.ts";

export interface StoreSubjectsParts {
  readonly bus: Bus;
  readonly blobs: OwnBlobs;
  /** Name of the store. */
  readonly host: string;
  readonly epoch: () => number;
  /** `cluster-named` id; `null`: not named yet. */
  readonly cluster: () => string | null;
}

/** Returns what ends it. */
export function serveStoreSubjects({ bus, blobs, host, epoch, cluster }: StoreSubjectsParts): () => Promise<void> {
  const stops: (() => void)[] = [];
  const serve = <T>(name: string, handler: (message: T) => unknown): void => {
    const subject = `node.${part(host)}.${name}`;
    stops.push(
      bus.serve(subject, async (bytes) => {
        const message = fromJsonBytes<T & { readonly epoch?: number }>(bytes);
        if (message.epoch !== undefined && message.epoch < epoch())
          throw new CommError(`epoch ${message.epoch} is over`, { code: "stale-epoch", retry: "never" });
        const own = cluster();
        if (own === null) throw new DiscoError("the cluster has no name yet", { code: "not-named" });
        await blobs.belongTo(own);
        return toJsonBytes((await handler(message)) ?? null);
      }),
    );
  };
  // Files of jobs are at nodes: none is adopted here, and nothing is copied from one store to itself.
  const end = serveBlobSubjects(serve, { blobs, host, dataDir: "", peers: null });
  return async () => {
    for (const stop of stops) stop();
    await end();
  };
}
