/** What `disco check-worker` says to those who give it no worker, or something else. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { checks } from "../../src/cli/check-worker/checks.ts";
import { CommandPlace } from "../cli/cli.test-kit.ts";
import { programPack } from "./pack.test-kit.ts";

const goodWorker = join(import.meta.dirname, "..", "..", "examples", "workers", "word_count.py");
let place: CommandPlace;

before(async () => {
  place = await CommandPlace.open({ shared: true });
});
after(() => place.close());

describe("disco check-worker without a worker", () => {
  it("lists its checks", async () => {
    const done = await place.look(["check-worker", "--list"]);
    assert.equal(done.code, 0, done.stderr);
    assert.deepEqual(
      done.stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(" ")[0]),
      checks.map(({ id }) => id),
    );
  });

  it("says how a job pack is checked, when one is given as the worker", async () => {
    const pack = join(place.folder, "given.pack");
    await writeFile(pack, programPack({ inputs: ["raw://a"], partitions: 1 }));
    const done = await place.look(["check-worker", pack]);
    assert.equal(done.code, 2, done.stderr);
    assert.match(done.stderr, /given\.pack is a job pack\nhint: Write disco check-worker --pack /);
  });

  it("says what is missing, and what a check is called", async () => {
    for (const [args, said] of [
      [[], /either a program or a job pack/],
      [["./no-such-worker"], /no-such-worker cannot be read: there is no such file/],
      [[goodWorker, "--only", "anounces"], /no check anounces[^]*Did you mean announces\?/],
    ] as const) {
      const done = await place.look(["check-worker", ...args]);
      assert.equal(done.code, 2, done.stderr);
      assert.match(done.stderr, said);
    }
  });
});
