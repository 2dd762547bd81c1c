import assert from "node:assert/strict";
import { test } from "node:test";
import { isStoreHost, parseBlobAddress } from "../../core/ddfs/names.ts";
import { replicaAddress } from "./replica-address.ts";

const object = "data:logs$5a1-2b3c-4d";

test("an address names the node or the store that has the blob, and nothing else is one", () => {
  for (const [host, volume] of [
    ["n1", "vol3"],
    ["s3://bucket", "vol0"],
    ["s3://bucket/some/prefix", "vol0"],
  ] as const) {
    assert.deepEqual(parseBlobAddress(replicaAddress(host, volume, object)), { host, volume, object });
    assert.equal(isStoreHost(host), host.startsWith("s3:"));
  }
  assert.match(
    replicaAddress("s3://bucket/p", "vol0", object),
    /^s3:\/\/bucket\/p\/blob\/[0-9a-f]{2}\/data:logs\$5a1-2b3c-4d$/,
  );
  for (const other of [
    "s3://bucket/p/blob/aa/plain",
    `s3://bucket/p/blob/aa/${object}/more`,
    `s3://bucket/p/sum/aa/${object}`,
    `s3://bucket/a b/blob/aa/${object}`,
    `s3://blob/aa/${object}`,
    `http://bucket/p/blob/aa/${object}`,
    `s3://bucket/p/blob/aa/${object}#bytes=0-5`,
  ])
    assert.equal(parseBlobAddress(other), null, other);
});
