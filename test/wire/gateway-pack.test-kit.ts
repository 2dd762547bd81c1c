/** A job whose worker does with the cluster what Disco's own workers do (`gateway.worker.py`). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { programPack, pythonWorker } from "./pack.test-kit.ts";
import { python } from "./python.test-kit.ts";

const program = readFileSync(join(import.meta.dirname, "gateway.worker.py"), "utf8");

export interface GatewayPackOptions {
  /** A map each, which writes where it ran. */
  readonly inputs: readonly string[];
  /** There it says `stored` when its value is stored, and waits for `go` before it tags it. */
  readonly folder: string;
  /** Of its value. */
  readonly replicas: number;
  /** Seconds that each map takes at least. Default 0. */
  readonly mapSeconds?: number;
}

export function gatewayPack({ inputs, folder, replicas, mapSeconds = 0 }: GatewayPackOptions): Uint8Array {
  return programPack({
    inputs: inputs.map((input) => `raw://${input}`),
    pipeline: [
      ["map", "split", false],
      ["reduce", "group_all", false],
    ],
    worker: { name: "gateway.worker.py", contents: `#!${python}\n${program}` },
    files: { [pythonWorker.name]: pythonWorker.contents },
    params: { folder, replicas, seconds: mapSeconds },
  });
}
