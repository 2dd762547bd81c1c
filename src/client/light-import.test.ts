import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";

/** Prints what a process loads that imports the public entry point. */
const script = `
  import { registerHooks } from "node:module";
  const urls = [];
  registerHooks({ resolve(specifier, context, next) { const found = next(specifier, context); urls.push(found.url); return found; } });
  await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)});
  console.log(JSON.stringify(urls));
`;

describe("importing the package", () => {
  it("loads no engine, no bundler, no command line and nothing heavy of Node", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
    const urls = JSON.parse(stdout) as string[];
    assert.ok(urls.some((url) => url.endsWith("/client/disco.ts")));
    const heavy = [
      "/node_modules/",
      "/src/(?:master|node|journal|bus|shipping|cli|core)/(?!job/spec)",
      "^node:(?:sqlite|http|https|http2|inspector|child_process|crypto|test|net|tls)$",
    ];
    for (const pattern of heavy) {
      assert.deepEqual(
        urls.filter((url) => new RegExp(pattern).test(url)),
        [],
        `${pattern} is not to be loaded`,
      );
    }
  });
});
