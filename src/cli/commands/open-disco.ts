/** The `Disco` of a command: connected to the master that was chosen, closed at the end. */
import { Disco, type DiscoOptions } from "../../client/disco.ts";
import { DiscoError } from "../../errors.ts";
import { noConfigFile } from "../../settings/config-search.ts";
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
 * The choice holds for this whole process: a job's module that says `new Disco()` means the same master, with the same settings,
 * and so do results that are read by their addresses. What stands in a file is put where the library looks.
 */
export function adopt(master: ChosenMaster): void {
  const { env } = process;
  env["DISCO_ROOT"] = master.root;
  env["DISCO_CONFIG"] = noConfigFile;
  const { settings, origins, token } = master.client;
  if (origins.proxy.kind === "file" && settings.proxy !== null) env["DISCO_PROXY"] = settings.proxy;
  if (origins.events.kind === "file" && settings.events !== null) env["DISCO_EVENTS"] = settings.events;
  if (origins.jobOwner.kind === "file" && settings.jobOwner !== null) env["DISCO_JOB_OWNER"] = settings.jobOwner;
  if (origins.retrySeconds.kind === "file") env["DISCO_RETRY_SECONDS"] = String(settings.retrySeconds);
  if (master.kind === "local") {
    delete env["DISCO_MASTER"];
    return;
  }
  env["DISCO_MASTER"] = master.address;
  const secret = token();
  if (secret !== null) env["DISCO_TOKEN"] = secret;
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
