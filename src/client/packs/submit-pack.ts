/** Starts the job of a job pack, which goes to the master as it is. */
import type { Disco } from "../disco.ts";
import { keepAlive } from "../keep-alive.ts";
import { JobPack } from "./pack.ts";

/** Returns the job's unique name. @throws JobError `bad-jobpack`, `no-such-file`; what the master refuses it for */
export async function submitPack(disco: Disco, pack: JobPack | Uint8Array | string): Promise<string> {
  return keepAlive(submit(disco, pack));
}

async function submit(disco: Disco, pack: JobPack | Uint8Array | string): Promise<string> {
  // What is wrong with it is said before a master is looked for.
  const { bytes } = pack instanceof JobPack ? pack : await JobPack.read(pack);
  const master = await disco.master();
  const name = await master.submit(bytes, { idempotencyKey: crypto.randomUUID() });
  disco.submitted(name);
  return name;
}
