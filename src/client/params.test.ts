import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JobData } from "../protocol/job-data.ts";
import { decodeJobPack } from "../protocol/jobpack.ts";
import { decodeValue } from "../protocol/value.ts";
import { nopMap } from "../worker/nop.ts";
import { FakeDisco } from "./fake-master.test-kit.ts";
import { Params } from "./params.ts";

describe("params", () => {
  it("are an object with the given properties", () => {
    const params = new Params({ c: 0, f: (x: string) => `${x}!` });
    assert.equal(params.c, 0);
    assert.equal(params.f("a"), "a!");
    assert.deepEqual(Object.keys(params), ["c", "f"]);
    assert.deepEqual(Object.keys(new Params()), []);
    assert.ok(params instanceof Params);
  });

  it("travel exactly, functions by reference", async () => {
    const disco = new FakeDisco();
    const when = new Date(0);
    await disco.newJob("a", {
      input: ["raw://x"],
      map: nopMap as never,
      params: new Params({ when, nested: [{ f: (n: number) => n + 1 }], big: 2n ** 70n, inner: new Params({ x: -0 }) }),
    });
    const data = decodeValue(decodeJobPack(disco.fake.packs[0] as Uint8Array).jobdata) as JobData;
    const params = decodeValue(data.params, { onFunction: (ref) => () => ref }) as Record<string, unknown>;
    assert.deepEqual(params["when"], when);
    assert.equal(params["big"], 2n ** 70n);
    assert.ok(Object.is((params["inner"] as { x: number }).x, -0));
    const ref = (params["nested"] as { f: () => number }[])[0]?.f() as number;
    assert.equal(data.code.fns[ref]?.kind, "export");
  });

  it("that cannot travel are refused, naming the path", async () => {
    const disco = new FakeDisco();
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = { again: cyclic };
    const refuses = (params: object, code: string, message: RegExp): Promise<void> =>
      assert.rejects(disco.newJob("a", { input: ["raw://x"], map: nopMap as never, params }), {
        name: "JobError",
        code,
        message,
      });
    await refuses(cyclic, "bad-value", /params\.self\.again/);
    await refuses({ cache: { map: new WeakMap() } }, "bad-value", /params\.cache\.map/);
    await refuses({ round: Math.round }, "native-function", /params\.round/);
    await refuses({ of: [new (class Account {})()] }, "bad-value", /params\.of\[0\].*Account/);
  });
});

describe("deprecated options", () => {
  it("work and warn once", async () => {
    const disco = new FakeDisco();
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", listen);
    const writer = (stream: { write(text: string): void }, key: unknown): void => stream.write(String(key));
    for (const name of ["a", "b"]) {
      const job = {
        input: ["raw://x"],
        map: nopMap as never,
        reduce: (pairs: unknown) => pairs as never,
        nrReduces: 2,
        reduceWriter: writer,
      };
      await disco.newJob(name, job as never);
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", listen);
    assert.deepEqual(warnings.map((text) => text.replace(/;.*/, "")).sort(), [
      "the job option nrReduces is deprecated",
      "the job option reduceWriter is deprecated",
    ]);
    const data = decodeValue(decodeJobPack(disco.fake.packs[1] as Uint8Array).jobdata) as JobData;
    assert.equal(data.stages[0]?.partitions, 2);
    assert.notEqual(data.stages[1]?.writer, null);
  });
});
