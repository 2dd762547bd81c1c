import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MasterMachine } from "../../core/master.ts";
import { Peers } from "../../node/fetch/peers.ts";
import { PeerBlobs } from "./peer-blobs.ts";

describe("the blobs of the nodes of a cluster", () => {
  it("of a node that nobody knows any more fail as those of one that does not answer: others are asked then", async () => {
    const peers = new Peers({ urlOf: () => undefined });
    const coordinator = { machine: new MasterMachine() };
    const blobs = new PeerBlobs({ coordinator, peers, heartbeat: () => null, isSuspect: () => false });
    const address = { host: "gone", volume: "vol0", object: "blob$703-54adf-ca24d" };
    const answers = [
      () => blobs.stat(address),
      () => blobs.open(address, {}),
      () => blobs.put({ host: "gone", object: address.object, url: "" }, [] as never, {}),
    ].map((ask) => ask().catch((error: { readonly code: string }) => error.code));
    assert.deepEqual(await Promise.all(answers), ["unknown-peer", "unknown-peer", "unknown-peer"]);
  });
});
