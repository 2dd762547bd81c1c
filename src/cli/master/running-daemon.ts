/** The daemon that runs on a root, as `choose-master.ts` asks for it. */
import { CommError } from "../../errors.ts";
import type { DaemonRecord } from "../../settings/daemon-settings.ts";
import { daemonState } from "../daemon/running.ts";

/**
 * `null`: none runs there.
 * @throws CommError when its process is there and silent: to go on without it would split the work without a word
 */
export async function daemonOf(root: string): Promise<DaemonRecord | null> {
  const state = await daemonState(root);
  if (state.kind === "running") return state.record;
  if (state.kind !== "silent") return null;
  throw new CommError(`the daemon of ${root}, process ${state.record.pid}, does not answer`, {
    url: state.record.url,
    hint: "`disco doctor` says more, `disco stop --force` ends it; `--master local` works without it.",
  });
}
