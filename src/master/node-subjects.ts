/** What nodes ask of the master and tell it: its subjects on the bus. */
import type { Bus } from "../bus/bus.ts";
import { fromJsonBytes, toJsonBytes } from "../bus/json.ts";
import { DiscoError } from "../errors.ts";
import { encodeManifest } from "../protocol/manifest-file.ts";
import type { NodeHello, NodeReport } from "../protocol/messages.ts";
import type { Coordinator } from "./coordinator.ts";
import type { JobFiles } from "./job-files.ts";

/** Returns what stops serving. */
export function serveNodes(bus: Bus, coordinator: Coordinator, files: JobFiles): () => void {
  const stops = [
    bus.serve("master.join", (bytes) => {
      coordinator.join(fromJsonBytes<NodeHello>(bytes));
      return undefined;
    }),
    bus.serve("master.report", (bytes) => {
      const { host, reports } = fromJsonBytes<{ host: string; reports: NodeReport[] }>(bytes);
      coordinator.report(host, reports);
      return undefined;
    }),
    // Where it lies, for nodes on this machine: a pack is too large for a message.
    bus.serve("master.pack", (bytes) =>
      toJsonBytes({ file: files.packFile(fromJsonBytes<{ job: string }>(bytes).job) }),
    ),
    bus.serve("master.manifest", (bytes) => {
      const { job, stage, version } = fromJsonBytes<{ job: string; stage: number; version: number }>(bytes);
      const manifest = coordinator.machine.manifest(job, stage);
      if (manifest?.version !== version) {
        throw new DiscoError(`stage ${stage} of ${job} has no version ${version} now`, {
          code: "no-manifest",
          retry: "here",
          job,
        });
      }
      return encodeManifest(manifest);
    }),
    bus.serve("master.oob", (bytes) => {
      const { job } = fromJsonBytes<{ job: string }>(bytes);
      return toJsonBytes(Object.fromEntries(coordinator.machine.oob(job).map(({ key, file }) => [key, file])));
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
