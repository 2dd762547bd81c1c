/** The DDFS of the master that a command means: the engine in this process, a daemon, or a cluster. */
import type { DDFS } from "../../client/ddfs/ddfs.ts";
import type { DdfsApi, TokenOption } from "../../client/ddfs/ddfs-api.ts";
import type { Disco } from "../../client/disco.ts";
import { keepAlive } from "../../client/keep-alive.ts";
import { nearestName } from "../../client/nearest-name.ts";
import { tagOf } from "../../core/ddfs/names.ts";
import { DiscoError } from "../../errors.ts";
import { connect, type StoreOptions } from "../commands/open-disco.ts";
import { type ChosenMaster, chooseMaster } from "../master/choose-master.ts";
import { surroundings } from "../master/surroundings.ts";
import { otherTags } from "./other-tags.ts";

export type { StoreOptions };

export interface OpenDdfs {
  readonly ddfs: DDFS;
  /** What of the master `ddfs` does not offer. */
  readonly api: DdfsApi;
  readonly disco: Disco;
  readonly master: ChosenMaster;
  /** What is shown to tags that ask for a token. */
  readonly read: TokenOption;
  readonly write: TokenOption;
}

export async function withDdfs<T>(options: StoreOptions, use: (ddfs: OpenDdfs) => Promise<T>): Promise<T> {
  const master = await chooseMaster(options, surroundings);
  await using disco = connect(master);
  const { ddfs: api } = await disco.master();
  try {
    // Answers alone keep no process running.
    return await keepAlive(
      use({ ddfs: disco.ddfs, api, disco, master, read: tokenOf("READ"), write: tokenOf("WRITE") }),
    );
  } catch (error) {
    throw error instanceof DiscoError && error.code === "unknown-tag"
      ? await withNearestTag(api, error, master)
      : error;
  }
}

function tokenOf(which: "READ" | "WRITE"): TokenOption {
  const token = process.env[`DDFS_${which}_TOKEN`];
  return token === undefined || token === "" ? {} : { token };
}

/** The same error, with the tag that was probably meant. */
async function withNearestTag(api: DdfsApi, error: DiscoError, master: ChosenMaster): Promise<DiscoError> {
  const { message, code, url } = error;
  const name = tagOf(url ?? "");
  if (name === null) return error;
  const meant = nearestName(name, await api.tags().catch(() => []));
  const hint = meant === undefined ? otherTags(master) : `Did you mean ${meant}?`;
  return hint === null ? error : new DiscoError(message, { code, ...(url === undefined ? {} : { url }), hint });
}
