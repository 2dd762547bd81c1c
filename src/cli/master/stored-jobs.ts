/** The jobs that have files in a root, whoever ran them: their directories tell, and nothing has to be opened or started for it. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const masterDirectory = "_master";

/** Names, in no order; none where there is no root. */
export async function storedNames(root: string): Promise<string[]> {
  const top = join(root, "data", masterDirectory);
  const list = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);
  const lists = await Promise.all((await list(top)).map((group) => list(join(top, group))));
  return lists.flat();
}
