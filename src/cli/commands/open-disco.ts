/** The `Disco` of a command: connected to the master that was chosen, closed at the end. */
import { Disco, type DiscoOptions } from "../../client/disco.ts";
import { DiscoError } from "../../errors.ts";
import { localMaster } from "../../settings/addresses.ts";
import { noConfigFile } from "../../settings/config-search.ts";
import { adoptToken } from "../../settings/tokens.ts";
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
    if (!(error instanceof DiscoError) || error.code !== "unknown-job") throw error;
    const { foundElsewhere } = await import("./other-store.ts");
    throw (await foundElsewhere(master, error)) ?? (await withSuggestion(disco, error));
  }
}

/**
 * The choice holds for this whole process: a job's module that says `new Disco()` means the same master, with the same settings,
 * and so do results that are read by their addresses. What stands in a file is put where the library looks.
 */
export function adopt(master: ChosenMaster): void {
  const { env } = process;
  const { settings, token } = master.client;
  env["DISCO_ROOT"] = master.root;
  env["DISCO_MASTER"] = master.kind === "remote" ? master.address : localMaster;
  env["DISCO_RETRY_SECONDS"] = String(settings.retrySeconds);
  if (settings.proxy !== null) env["DISCO_PROXY"] = settings.proxy;
  if (settings.events !== null) env["DISCO_EVENTS"] = settings.events;
  if (settings.jobOwner !== null) env["DISCO_JOB_OWNER"] = settings.jobOwner;
  const secret = master.kind === "remote" ? token() : null;
  if (secret !== null) adoptToken(secret, env);
  // All that the file says holds now: whoever looks for one finds nothing that could overrule the flags.
  env["DISCO_CONFIG"] = noConfigFile;
}

/** What `new Disco` needs for this master; `workers` says something about the engine in this process only. */
export function discoArguments(
  master: ChosenMaster,
  { workers, ...others }: DiscoOptions = {},
): [address: string | undefined, options: DiscoOptions] {
  if (master.kind === "remote") return [master.address, others];
  return [undefined, { root: master.root, workers: workers ?? master.client.settings.workers, ...others }];
}

export function connect(master: ChosenMaster, options: DiscoOptions = {}): Disco {
  adopt(master);
  return new Disco(...discoArguments(master, options));
}
