/** The engine of a command that only looks at jobs or deletes them: no worker is started. */
import { Disco } from "../../client/disco.ts";

export interface StoreOptions {
  readonly root?: string;
  readonly json?: boolean;
}

export async function withDisco<T>({ root }: StoreOptions, use: (disco: Disco) => Promise<T>): Promise<T> {
  await using disco = new Disco(undefined, root === undefined ? {} : { root });
  return await use(disco);
}

/** Names may be shortened to what is unique: `disco cat wordcount` is the newest job of that name. */
export async function resolveName(disco: Disco, name: string): Promise<string> {
  if (name.includes("@")) return name;
  const jobs = (await disco.joblist()).filter((job) => job.name.startsWith(`${name}@`));
  return jobs.sort((a, b) => b.submittedAt - a.submittedAt)[0]?.name ?? name;
}
