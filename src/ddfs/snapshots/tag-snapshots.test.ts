import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, it, mock } from "node:test";
import { CommError } from "../../errors.ts";
import { FakeCluster } from "../gc/cluster.test-kit.ts";
import { TagService } from "../tag-service.ts";
import { TagSnapshots } from "./tag-snapshots.ts";

const everyMs = 1_000;

/** Nodes whose disks can refuse. */
function stand(hosts: readonly string[], refuses: readonly string[] = []) {
  const cluster = new FakeCluster(hosts);
  const tags = new TagService({ decider: cluster.decider, now: cluster.now });
  const puts: string[] = [];
  const failures: unknown[] = [];
  let micros = 1_000;
  const snapshots = new TagSnapshots({
    decider: cluster.decider,
    tags,
    replicas: 2,
    everyMs,
    now: cluster.now,
    failed: (error) => failures.push(error),
    ddfs: {
      space: cluster.spaces,
      newBlob: async (name, { replicas = 1 } = {}) =>
        hosts.slice(0, replicas).map((host) => ({ host, object: `${name}$0-0-${(micros++).toString(16)}`, url: "" })),
      putBlob: async ({ host, object }, body) => {
        if (refuses.includes(host)) throw new CommError(`${host} is full`, { code: "disk-full" });
        puts.push(host);
        const { length: size } = await buffer(body);
        const stored = { object, volume: "vol0", size, storedAt: 0, digest: "d" };
        return { ...stored, url: `disco://${host}/ddfs/vol0/blob/00/${object}` };
      },
    },
  });
  const pass = async (ms: number): Promise<void> => {
    cluster.time += ms;
    mock.timers.tick(ms);
    for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { cluster, snapshots, puts, failures, pass };
}

describe("snapshots of all tags", () => {
  afterEach(() => mock.timers.reset());

  it("are written to so many nodes when tags have changed, and named by a tag that keeps two", async () => {
    const { cluster, snapshots, puts } = stand(["a", "b", "c"]);
    await snapshots.write();
    assert.deepEqual(puts, []);
    for (let i = 1; i <= 3; i++) {
      cluster.link("t", [`http://${i}`]);
      await snapshots.write();
      await snapshots.write();
      assert.equal(puts.length, 2 * i);
    }
    assert.deepEqual(
      cluster.urls("disco:tags").map((set) => set.map((url) => new URL(url).host)),
      [
        ["a", "b"],
        ["a", "b"],
      ],
    );
    await snapshots.close();
    assert.equal(puts.length, 6);
  });

  it("are written on the nodes that take them, and tried again where none does", async () => {
    const some = stand(["a", "b"], ["b"]);
    some.cluster.link("t", ["http://1"]);
    await some.snapshots.write();
    assert.equal(some.cluster.urls("disco:tags")[0]?.length, 1);
    const none = stand(["a"], ["a"]);
    none.cluster.link("t", ["http://1"]);
    await assert.rejects(none.snapshots.write(), { code: "disk-full" });
    assert.deepEqual(none.cluster.urls("disco:tags"), []);
    await none.snapshots.close();
    assert.equal(none.failures.length, 1);
    await some.snapshots.close();
  });

  it("are not written more often than they should be", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    const { cluster, snapshots, puts, pass } = stand(["a", "b"]);
    for (let i = 0; i < 50; i++) {
      cluster.link("t", [`http://${i}`]);
      await pass(everyMs / 10);
    }
    assert.ok(puts.length >= 6 && puts.length <= 12, `${puts.length} replicas in five periods`);
    await snapshots.close();
  });
});
