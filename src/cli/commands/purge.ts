/** `disco purge NAME…`: full names only, because what is purged is gone. */
import { DiscoError } from "../../errors.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

export async function purgeJobs(names: readonly string[], options: StoreOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    for (const name of names) {
      const full = await resolveName(disco, name);
      if (full !== name) {
        throw new DiscoError(`purge takes full names only, and ${name} is not one`, {
          code: "bad-argument",
          hint: `The newest job of that name: disco purge ${full}`,
        });
      }
      await disco.jobinfo(name);
      await disco.purge(name);
      process.stderr.write(`purged ${name}\n`);
    }
  });
}
