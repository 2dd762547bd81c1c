/** `DDFS_STORE`: which store blobs go to. What talks to it is loaded when somebody uses it. */
import { accountOf } from "../../s3/account.ts";
import { parseS3Place } from "../../s3/address.ts";
import type { SharedStore } from "../blobs.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** `url`: `DDFS_STORE`; `null`: nodes have volumes. @throws as `s3Store` */
export function sharedStoreOf(
  { store = null }: { readonly store?: string | null },
  env: Environment,
): SharedStore | null {
  return store === null ? null : s3Store(store, env);
}

/** @throws DataError `bad-url`, DiscoError `bad-s3-settings` */
export function s3Store(url: string, env: Environment): SharedStore {
  const place = parseS3Place(url);
  const account = accountOf(env);
  return {
    host: `s3://${place.bucket}/${place.prefix}`.replace(/\/$/, ""),
    open: async (found) => {
      const [{ S3Blobs }, { S3Connection }] = await Promise.all([
        import("./s3-blobs.ts"),
        import("../../s3/connection.ts"),
      ]);
      const blobs = new S3Blobs({ connection: new S3Connection({ account }), place, found });
      await blobs.begin();
      return blobs;
    },
  };
}
