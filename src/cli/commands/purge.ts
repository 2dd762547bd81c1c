/** `disco purge NAME…`: full names only, because what is purged is gone. */
import { type StoreOptions, withDisco } from "./open-disco.ts";

export async function purgeJobs(names: readonly string[], options: StoreOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    for (const name of names) {
      await disco.jobinfo(name);
      await disco.purge(name);
      process.stderr.write(`purged ${name}\n`);
    }
  });
}
