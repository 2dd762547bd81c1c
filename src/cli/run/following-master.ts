/** A master that says which jobs it was given, and forgets none before somebody has seen it to its end. */
import type { MasterApi } from "../../client/master-api.ts";

export interface Follower {
  /** A job is on its way; its name is not known yet. */
  submitting(name: Promise<string>): void;
  submitted(master: MasterApi, name: string): void;
  /** Called, and waited for, before the records of a job go. */
  forgetting(name: string, how: "clean" | "purge"): Promise<void>;
}

export function followingMaster(master: MasterApi, follower: Follower): MasterApi {
  const changed: Partial<MasterApi> = {
    async submit(pack, options) {
      const submitting = master.submit(pack, options);
      follower.submitting(submitting);
      const name = await submitting;
      follower.submitted(master, name);
      return name;
    },
    async clean(name) {
      await follower.forgetting(name, "clean");
      await master.clean(name);
    },
    async purge(name) {
      await follower.forgetting(name, "purge");
      await master.purge(name);
    },
  };
  return new Proxy(master, {
    get(target, key) {
      const value: unknown = Reflect.get(key in changed ? changed : target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
