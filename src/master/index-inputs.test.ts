import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { Grouping, InputSpec, JobSpec } from "../core/job/spec.ts";
import { formatIndex } from "../schemes/dir.ts";
import { readIndexFile } from "./index-files.ts";
import { hasIndexInputs, withLabelledInputs } from "./index-inputs.ts";

const dataDir = await mkdtemp(join(tmpdir(), "disco-index-inputs-"));
after(() => rm(dataDir, { recursive: true, force: true }));

const index = "dir://n/disco/n/aa/job@1:2:3/.disco/map_shuffle-4-1.results";
await mkdir(join(dataDir, "n/aa/job@1:2:3/.disco"), { recursive: true });
await writeFile(
  join(dataDir, "n/aa/job@1:2:3/.disco/map_shuffle-4-1.results"),
  formatIndex([
    { label: 7, url: "disco://n/disco/n/aa/job@1:2:3/x", size: 5 },
    { label: 2, url: "disco://n/disco/n/aa/job@1:2:3/y", size: 6 },
    { label: 7, url: "http://elsewhere/z", size: 1 },
  ]),
);

const plain: InputSpec = { label: 0, size: 0, replicas: ["http://a/x", "http://b/x"], hosts: ["a", "b"] };
const listed: InputSpec = { label: 0, size: 0, replicas: [index], hosts: ["n"] };

function spec(grouping: Grouping, inputs: readonly InputSpec[], packVersion: 1 | 2 = 1): JobSpec {
  return {
    prefix: "next",
    owner: "me",
    inputs,
    pipeline: [{ name: "first", grouping }],
    scheduler: { maxCores: 1, forceLocal: false, forceRemote: false },
    retries: 100,
    taskTimeoutMs: null,
    memoryLimitBytes: 1024 ** 3,
    labels: {},
    keep: true,
    worker: { path: "bin/w", packVersion },
  };
}

const read = (url: string): ReturnType<typeof readIndexFile> => readIndexFile(url, { dataDir });

describe("inputs of a version 1 job that are indexes", () => {
  for (const grouping of ["split", "group_label"] as const) {
    it(`are one input a label for ${grouping}, ascending, with their sizes`, async () => {
      const { inputs } = await withLabelledInputs(spec(grouping, [plain, listed]), read);
      assert.deepEqual(inputs, [plain, { ...listed, label: 2, size: 6 }, { ...listed, label: 7, size: 6 }]);
    });
  }

  it("are read whole by the one task of group_all", async () => {
    const { inputs } = await withLabelledInputs(spec("group_all", [listed, plain]), read);
    assert.deepEqual(inputs, [{ ...listed, size: 12, everyLabel: true }, plain]);
  });

  it("are looked for in version 1 alone: version 2 says its labels itself", () => {
    assert.equal(hasIndexInputs(spec("split", [plain, listed])), true);
    assert.equal(hasIndexInputs(spec("split", [plain])), false);
    assert.equal(hasIndexInputs(spec("split", [listed], 2)), false);
  });

  it("that hold nothing are no inputs", async () => {
    const nothing = (): Promise<[]> => Promise.resolve([]);
    for (const grouping of ["split", "group_all"] as const)
      assert.deepEqual((await withLabelledInputs(spec(grouping, [listed, plain]), nothing)).inputs, [plain]);
  });

  it("that cannot be read refuse the job, by name", async () => {
    const gone = { ...listed, replicas: ["dir://n/disco/n/bb/gone/.disco/x.results"] };
    const distant = {
      index: async ({ node }: { node: string }) => Promise.reject(new Error(`node ${node} answers 404`)),
    };
    await assert.rejects(
      withLabelledInputs(spec("split", [gone]), (url) => readIndexFile(url, { dataDir, distant })),
      {
        code: "bad-input",
        message: /dir:\/\/n\/disco\/n\/bb\/gone\/\.disco\/x\.results cannot be read: node n answers 404/,
      },
    );
  });

  it("are refused as soon as they are too many, and none is read after that", async () => {
    const many = Array.from({ length: 1_000 }, () => listed);
    const entries = Array.from({ length: 400 }, (_, label) => ({ label, url: "http://x/y", size: 1 }));
    for (const [grouping, limits, message] of [
      ["split", { inputsMax: 1_000, linesMax: 1e9 }, "its inputs have more than 1000 labels together"],
      ["group_all", { inputsMax: 1_000, linesMax: 2_000 }, "its indexes have more than 2000 lines together"],
    ] as const) {
      let reads = 0;
      const readIndex = async (): Promise<typeof entries> => {
        reads++;
        return await Promise.resolve(entries);
      };
      const refused = { code: "bad-jobpack", message };
      await assert.rejects(withLabelledInputs(spec(grouping, many), readIndex, limits), refused);
      assert.ok(reads < 40, `${reads} indexes were read`);
    }
  });

  it("are files of jobs, and nothing else that a master has on its disk", async () => {
    await writeFile(join(dataDir, "secret"), "a secret");
    await mkdir(join(dataDir, "n/aa/secret"), { recursive: true });
    for (const path of ["/secret", "/disco/secret", "/disco/n/aa/secret", "/ddfs/vol0/blob/aa/b", "/disco/n/vol0/j/f"])
      await assert.rejects(readIndexFile(`dir://n${path}`, { dataDir }), {
        code: "bad-index",
        message: `dir://n${path} is no address of a file of a job`,
      });
  });

  it("are no more than an index may have, whatever a job calls one", async () => {
    const folder = join(dataDir, "n/aa/job@1:2:3");
    await writeFile(join(folder, "data"), "x".repeat(5_000));
    const data = "dir://n/disco/n/aa/job@1:2:3/data";
    await assert.rejects(readIndexFile(data, { dataDir, bytesMax: 4_000 }), { message: /at most 4000 bytes$/ });
    await assert.rejects(readIndexFile(data, { dataDir }), (error: Error) => error.message.length < 500);
    await writeFile(join(folder, "data"), `${"x".repeat(5_000)}\n`);
    await assert.rejects(readIndexFile(data, { dataDir }), (error: Error) => /x{200}…/.test(error.message));
  });

  it("are read at the node of the cluster, whichever way the client goes there", async () => {
    const asked: string[] = [];
    const distant = {
      index: async ({ node }: { node: string }) => {
        asked.push(node);
        return Promise.resolve(Buffer.from("3 disco://m/disco/m/bb/j/x 9\n"));
      },
    };
    const far = { ...listed, replicas: ["dir://master:8989/disco/m/bb/j/.disco/x.results"], hosts: ["m"] };
    const { inputs } = await withLabelledInputs(spec("split", [far]), (url) =>
      readIndexFile(url, { dataDir, distant }),
    );
    assert.deepEqual(inputs, [{ ...far, label: 3, size: 9 }]);
    assert.deepEqual(asked, ["m"]);
  });

  it("lie on other nodes of the cluster as well", async () => {
    const distant = { index: async () => Promise.resolve(Buffer.from("3 disco://m/disco/m/bb/j/x 9\n")) };
    const far = { ...listed, replicas: ["dir://m/disco/m/bb/j/.disco/x.results"], hosts: ["m"] };
    const { inputs } = await withLabelledInputs(spec("split", [far]), (url) =>
      readIndexFile(url, { dataDir, distant }),
    );
    assert.deepEqual(inputs, [{ ...far, label: 3, size: 9 }]);
  });
});
