/** Ending and forgetting jobs. A name that is not known is no error, as in Disco: the wish is fulfilled. */
import type { MasterApi } from "../../client/master-api.ts";
import { DiscoError } from "../../errors.ts";
import { jobNameBody } from "./arguments.ts";
import { json, type Route } from "./route.ts";

const actions: Readonly<Record<string, (master: MasterApi, name: string) => Promise<void>>> = {
  kill_job: (master, name) => master.kill(name),
  clean_job: (master, name) => master.clean(name),
  purge_job: (master, name) => master.purge(name),
};

export const jobControlRoutes: readonly Route[] = Object.entries(actions).map(([name, act]) => ({
  method: "POST",
  path: `/disco/ctrl/${name}`,
  async handle(request, master) {
    try {
      await act(master, jobNameBody(request));
    } catch (error) {
      if (!(error instanceof DiscoError) || error.code !== "unknown-job") throw error;
    }
    return json("");
  },
}));
