import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DiscoError, JobError } from "../errors.ts";
import { nopMap, nopReduce } from "../worker/nop.ts";
import { external } from "./external.ts";
import type { AnyJobOptions } from "./job-options.ts";
import { validateOptions } from "./validate.ts";

const map = nopMap;
const reduce = nopReduce;

function refuses(options: Record<string, unknown>, code: string, message: RegExp): void {
  assert.throws(
    () => validateOptions({ input: ["x"], ...options } as unknown as AnyJobOptions),
    (error) => {
      assert.ok(error instanceof DiscoError);
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    },
  );
}

function accepts(options: Record<string, unknown>): void {
  validateOptions({ input: ["x"], ...options } as unknown as AnyJobOptions);
}

describe("options of a job", () => {
  it("are accepted when they make sense", () => {
    accepts({ map });
    accepts({ reduce });
    accepts({ map, reduce, sort: true, partitions: 4, combiner: map, partition: map, mergePartitions: true });
    accepts({ map, reduce, sort: "merge", partitions: null, taskTimeout: 1.5, memoryLimit: 256, splitBytes: 0 });
    accepts({ map, reduce: undefined, sort: undefined, profile: true, save: true });
    accepts({ map, scheduler: { maxCores: 2, forceLocal: true }, labels: { gpu: "1" }, seed: 7, retries: 0 });
    accepts({ map, requiredFiles: ["a/b.txt"], requiredModules: ["node:fs"] });
    accepts({ map, requiredFiles: { "b.txt": "text", "c.bin": new Uint8Array(2) } });
    accepts({ map, nrReduces: 3, partitions: 3, reduce });
  });

  it("with an unknown name are refused, naming the one that was meant", () => {
    refuses({ map, partition_s: 4 }, "unknown-option", /partition_s; did you mean partitions\?/);
    refuses({ map, partitons: 4 }, "unknown-option", /partitons; did you mean partitions\?/);
    refuses({ map, map_reader: map }, "unknown-option", /map_reader; did you mean mapReader\?/);
    refuses({ map, merge_partitions: true }, "unknown-option", /did you mean mergePartitions\?/);
    refuses({ map, input_files: [] }, "unknown-option", /did you mean input\?/);
    refuses({ map, nr_reduces: 2 }, "unknown-option", /did you mean nrReduces\?/);
    refuses(
      { map, scheduler: { max_cores: 2 } },
      "unknown-option",
      /scheduler\.max_cores; did you mean scheduler\.maxCores\?/,
    );
    refuses({ map, zzzzzzzzz: 1 }, "unknown-option", /^unknown option zzzzzzzzz$/);
  });

  it("with a value of the wrong type or size are refused, naming option, value and what is allowed", () => {
    refuses(
      { map, partitions: 0 },
      "bad-option",
      /partitions: an integer from 1 to 1,000,000, or null, was expected, not 0/,
    );
    refuses({ map, partitions: 1.5 }, "bad-option", /partitions: .* not 1\.5/);
    refuses({ map, partitions: "4" }, "bad-option", /partitions: .* not "4"/);
    refuses({ map: "line" }, "bad-option", /map: a function was expected, not "line"/);
    assert.throws(() => validateOptions({ input: ["x"], map: "./count" } as unknown as AnyJobOptions), {
      hint: /is given as external\(\["\.\/count"\]\)/,
    });
    refuses({ map: class Mapper {} }, "bad-option", /map: a function that can be called without new was expected/);
    refuses({ map: null }, "bad-option", /map: a function was expected, not null/);
    refuses({ map, mapInputStream: map }, "bad-option", /mapInputStream: a list of at least one function/);
    refuses({ map, mapInputStream: [map, 3] }, "bad-option", /mapInputStream/);
    refuses({ map, reduce, sort: "desc" }, "bad-option", /sort: true, false or "merge" was expected, not "desc"/);
    refuses({ map, params: [1] }, "bad-option", /params: an object was expected, not a list/);
    refuses({ map, retries: -1 }, "bad-option", /retries: an integer from 0 to 1,000/);
    refuses({ map, retries: Number.NaN }, "bad-option", /retries: .* not NaN/);
    refuses(
      { map, taskTimeout: 0 },
      "bad-option",
      /taskTimeout: a number of seconds above 0, or null, was expected, not 0/,
    );
    refuses({ map, memoryLimit: 1 }, "bad-option", /memoryLimit: a number of megabytes from 128/);
    refuses({ map, concurrency: 0 }, "bad-option", /concurrency/);
    refuses({ map, labels: { gpu: 1 } }, "bad-option", /labels: an object with strings as values/);
    refuses({ map, seed: 2 ** 32 }, "bad-option", /seed/);
    refuses({ map, splitBytes: 10 }, "bad-option", /splitBytes: 0 \(do not split\) or at least 1,048,576 bytes/);
    refuses({ map, scheduler: { maxCores: 0 } }, "bad-option", /scheduler\.maxCores/);
    refuses({ map, scheduler: true }, "bad-option", /scheduler: an object was expected/);
    refuses({ map, requiredFiles: { "a/b": "x" } }, "bad-option", /file names without folders \("a\/b" is none\)/);
    refuses({ map, requiredFiles: { "..": "x" } }, "bad-option", /file names without folders/);
    refuses({ map, requiredFiles: { a: 1 } }, "bad-option", /a string or a Uint8Array as contents of "a"/);
    refuses({ map, prefix: "a b" }, "bad-name", /bad job name "a b"/);
  });

  it("that contradict each other, or have no effect, are refused", () => {
    refuses({}, "bad-option", /neither map nor reduce/);
    refuses(
      { map, reduce, nrReduces: 2, partitions: 3 },
      "bad-option",
      /nrReduces \(2\) and partitions \(3\) contradict/,
    );
    refuses(
      { map, scheduler: { forceLocal: true, forceRemote: true } },
      "bad-option",
      /forceLocal and forceRemote exclude/,
    );
    refuses({ map, sort: true }, "bad-option", /sort has no effect without reduce/);
    refuses({ reduce, combiner: map }, "bad-option", /combiner has no effect without map/);
    refuses({ reduce, partition: map }, "bad-option", /partition has no effect without map/);
    refuses({ reduce, partitions: 4 }, "bad-option", /partitions: 4 needs a map/);
    refuses({ map, reduceReader: map }, "bad-option", /reduceReader has no effect without reduce/);
    refuses({ map, reduce, partitions: null, partition: map }, "bad-option", /partition contradicts partitions: null/);
    refuses({ map, reduce, partitions: null, mergePartitions: true }, "bad-option", /mergePartitions contradicts/);
    refuses({ map, mapWriter: map, mapOutputStream: [map] }, "bad-option", /mapOutputStream and mapWriter exclude/);
  });

  it("that are for external programs need one, and have a form that programs can read", () => {
    refuses({ map, extParams: {} }, "bad-option", /extParams has no effect without an external program/);
    const reduce = external(["./program"]);
    for (const extParams of ["raw", new Uint8Array(3), {}, { a: "b" }])
      validateOptions({ input: "x", map, reduce, extParams });
    validateOptions({ input: "x", pipeline: [{ map: external(["./program"]) }], extParams: { a: "b" } });
    refuses(
      { reduce, extParams: 7 },
      "bad-option",
      /extParams: an object with strings as values, a string or a Uint8Array/,
    );
    refuses({ reduce, extParams: ["a"] }, "bad-option", /an object with strings as values/);
    refuses(
      { reduce, extParams: { a: 7 } },
      "bad-option",
      /extParams: a string was expected as the value of "a", not 7/,
    );
    refuses({ reduce, extParams: { a: "\ud800" } }, "bad-option", /well-formed text of "a"/);
    refuses({ reduce, extParams: "\udc00" }, "bad-option", /well-formed text \(no half/);
  });

  it("that are external programs stand where a map or a reduce stands", () => {
    const program = external(["./program"]);
    refuses({ map: program, combiner: program }, "bad-option", /combiner: external\(…\) is no combiner/);
    refuses({ map, mapReader: program }, "bad-option", /mapReader: external\(…\) is no mapReader/);
    refuses({ map: external }, "bad-option", /map: external is not called/);
  });

  it("must be an object", () => {
    assert.throws(() => validateOptions(null as unknown as AnyJobOptions), JobError);
    assert.throws(() => validateOptions([] as unknown as AnyJobOptions), /not an empty list/);
  });
});

describe("a pipeline", () => {
  it("is accepted when each stage is a map or a reduce", () => {
    accepts({ pipeline: [{ map }, { reduce, grouping: "group_all", sort: true }, { name: "last", map }] });
    accepts({ pipeline: [{ map }], params: {}, seed: 1, concurrency: 2 });
  });

  it("is refused, naming the stage, when it makes no sense", () => {
    refuses({ pipeline: [] }, "bad-option", /pipeline: a list of 1 to 100 stages was expected/);
    refuses({ pipeline: [{}] }, "bad-option", /pipeline\[0\]: either map or reduce was expected, not neither/);
    refuses({ pipeline: [{ map, reduce }] }, "bad-option", /not both/);
    refuses(
      { pipeline: [{ map, grouping: "group_nodes" }] },
      "bad-option",
      /pipeline\[0\]\.grouping: "split", .* or "group_all" was expected/,
    );
    refuses(
      { pipeline: [{ map, grupping: "split" }] },
      "unknown-option",
      /pipeline\[0\]\.grupping; did you mean pipeline\[0\]\.grouping\?/,
    );
    refuses(
      {
        pipeline: [
          { map, name: "a" },
          { map, name: "a" },
        ],
      },
      "bad-option",
      /pipeline\[1\]\.name: "a" is the name of pipeline\[0\]/,
    );
    refuses({ pipeline: [{ map, sort: true }] }, "bad-option", /pipeline\[0\]\.sort has no effect on a map/);
    refuses({ pipeline: [{ map }], map }, "bad-option", /map and pipeline exclude each other/);
    refuses({ pipeline: [{ map }], partitions: 3 }, "bad-option", /partitions and pipeline exclude/);
    refuses({ pipeline: [3] }, "bad-option", /pipeline\[0\]: an object was expected, not 3/);
  });
});
