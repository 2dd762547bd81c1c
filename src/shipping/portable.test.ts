import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const module = (path: string): string => new URL(path, import.meta.url).href;

const files = {
  "package.json": `{ "type": "module" }`,
  "node_modules/greet/package.json": `{ "name": "greet", "version": "1.0.0", "main": "index.js" }`,
  "node_modules/greet/index.js": `exports.greet = (name) => "hi " + name;`,
  "node_modules/addon/package.json": `{ "name": "addon", "version": "1.0.0", "main": "./addon.node" }`,
  "node_modules/addon/addon.node": "not really",
  "local.ts": `export const local: string = "local"; export function fails(): never { throw new Error("deep"); }`,
  "job.ts": `
    import { writeFileSync } from "node:fs";
    import { shipFunctions } from "${module("./ship.ts")}";
    import { encodeValue } from "${module("../protocol/value.ts")}";
    import { greet } from "greet";
    import { fails, local } from "./local.ts";
    const count: number = 3;
    const [, , file, kind] = process.argv;
    const job = {
      map: (line: string) => greet(line) + local + count,
      *reduce(lines: string[]) { yield* lines; },
      fails: (line: string) => fails(),
      ...(kind === "addon" ? { addon: async () => (await import("addon")).default } : {}),
      ...(kind === "missing" ? { missing: async () => await import("./nowhere.ts" as string) && await import("./gone.ts") } : {}),
    };
    try {
      const shipment = await shipFunctions(Object.entries(job).map(([role, fn]) => ({ role, fn })), { portable: kind !== "here" });
      writeFileSync(file!, encodeValue(shipment));
    } catch (error) {
      console.log(error.code, error.message);
    }
  `,
  "job.cjs": `
    const { basename } = require("node:path");
    const { greet } = require("greet");
    exports.limit = 5;
    function helper(line) { return greet(line) + exports.limit + basename(__filename); }
    Promise.all([import("${module("./ship.ts")}"), import("${module("../protocol/value.ts")}")]).then(async ([ship, value]) => {
      const fns = [(line) => helper(line), function* (lines) { yield* lines; }, () => { throw new Error("deep"); }];
      const shipment = await ship.shipFunctions(fns.map((fn) => ({ role: "map", fn })), { portable: process.argv[3] !== "here" });
      require("node:fs").writeFileSync(process.argv[2], value.encodeValue(shipment));
    });
  `,
};

describe("shipped code", () => {
  let home: string;
  let elsewhere: string;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "disco-home-"));
    elsewhere = await mkdtemp(join(tmpdir(), "disco-elsewhere-"));
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(home, name)), { recursive: true });
      await writeFile(join(home, name), text);
    }
  });
  after(async () => {
    await rm(home, { recursive: true, force: true });
    await rm(elsewhere, { recursive: true });
  });

  const ship = async (script: string, kind: string): Promise<{ file: string; stdout: string }> => {
    const file = join(elsewhere, `${script}-${kind}`);
    const { stdout } = await run(process.execPath, [join(home, script), file, kind], { cwd: home });
    return { file, stdout };
  };
  const work = async (file: string) => {
    const worker = new URL("./fixtures/run-shipment.ts", import.meta.url);
    const { stdout } = await run(process.execPath, [worker.pathname, file], { cwd: elsewhere });
    return JSON.parse(stdout) as {
      map: string;
      portable: boolean;
      failure: { stack: string; location: unknown; frame: string };
    };
  };

  it("that is not portable imports the submitter's files and packages where they lie", async () => {
    const result = await work((await ship("job.ts", "here")).file);
    assert.equal(result.map, "hi xlocal3");
    assert.equal(result.portable, false);
    assert.deepEqual(result.failure.location, { file: join(home, "local.ts"), line: 1, column: 78 });
  });

  it("of a CommonJS script has `require`, `exports` and `__filename`", async () => {
    assert.equal((await work((await ship("job.cjs", "here")).file)).map, "hi x5job.cjs");
  });

  it("is refused as portable when it needs a native add-on or a file that is not there", async () => {
    assert.match((await ship("job.ts", "addon")).stdout, /^bundle-failed .*native add-on/s);
    assert.match((await ship("job.ts", "missing")).stdout, /^bundle-failed .*gone\.ts/s);
  });

  it("that is portable runs where the submitter's folder does not exist", async () => {
    const shipped = [await ship("job.ts", "portable"), await ship("job.cjs", "portable")];
    await rm(home, { recursive: true });
    const [esm, commonjs] = [await work(shipped[0]?.file as string), await work(shipped[1]?.file as string)];
    assert.equal(esm.map, "hi xlocal3");
    assert.equal(commonjs.map, "hi x5job.cjs");
    assert.deepEqual(esm.failure.location, { file: join(home, "local.ts"), line: 1, column: 78 });
    assert.match(esm.failure.frame, /> 1 \| export const local: string = "local"; .*throw new Error\("deep"\)/);
  });
});
