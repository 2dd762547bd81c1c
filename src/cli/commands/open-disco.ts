/** The `Disco` of a command: connected to the master that was chosen, closed at the end. */
import { Disco, type DiscoOptions } from "../../client/disco.ts";
import { DiscoError } from "../../errors.ts";
import { type ChosenMaster, chooseMaster, type MasterFlags } from "../master/choose-master.ts";
import { surroundings } from "../master/surroundings.ts";
import { withSuggestion } from "./job-names.ts";

export { resolveName } from "./job-names.ts";

/** What all commands that talk to a master take. */
export interface StoreOptions extends MasterFlags {
  readonly json?: boolean;
}

/** Asks something of the chosen master. For the engine in this process that means: opens it, without running jobs. */
export async function withDisco<T>(
  options: MasterFlags,
  use: (disco: Disco, master: ChosenMaster) => Promise<T>,
): Promise<T> {
  const master = await chooseMaster(options, surroundings);
  await using disco = connect(master);
  try {
    return await use(disco, master);
  } catch (error) {
    throw error instanceof DiscoError && error.code === "unknown-job" ? await withSuggestion(disco, error) : error;
  }
}

/**
 * The choice holds for this whole process: a job's module that says `new Disco()` means the same master, and so do results that
 * are read by their addresses.
 */
export function adopt(master: ChosenMaster): void {
  process.env["DISCO_ROOT"] = master.root;
  if (master.kind === "local") {
    delete process.env["DISCO_MASTER"];
    return;
  }
  process.env["DISCO_MASTER"] = master.address;
  const token = master.token();
  if (token !== null) process.env["DISCO_TOKEN"] = token;
}

export function connect(master: ChosenMaster, options: DiscoOptions = {}): Disco {
  adopt(master);
  return new Disco(master.kind === "remote" ? master.address : undefined, { root: master.root, ...options });
}
