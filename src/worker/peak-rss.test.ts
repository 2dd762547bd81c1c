import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const module = new URL("./peak-rss.ts", import.meta.url).href;
const ballastBytes = 300 * 1024 * 1024;
const report = `import { peakRss } from ${JSON.stringify(module)}; console.log(peakRss());`;

test("the peak of a process is its own, not that of the process that started it", () => {
  const parent = `
    import { spawnSync } from "node:child_process";
    const ballast = Buffer.alloc(${ballastBytes}, 1);
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(report)}], { encoding: "utf8" });
    console.log(child.stdout.trim(), ballast.length);
    ${report}`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", parent], { encoding: "utf8" });
  const [child = 0, ballast = 0, own = 0] = stdout.trim().split(/\s+/).map(Number);
  assert.equal(ballast, ballastBytes, stderr);
  assert.ok(own > ballastBytes, `${own}`);
  assert.ok(child > 10_000_000 && child < ballastBytes, `${child}`);
});
