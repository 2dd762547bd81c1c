/** Profiles of scripts of all kinds are in terms of what their authors wrote. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ProfileStats } from "disco-mapreduce";
import { runScript } from "../run-disco.ts";
import { spinMs, spinning, typed } from "./spinning.ts";

const asking = `
const stats = await job.profileStats();
console.log(JSON.stringify(stats));
await disco.close();
`;
const moduleScript = `
import { Disco, JobDict } from "disco-mapreduce";
${spinning}
const disco = new Disco();
const job = await disco.newJob("script", jobDict);
await job.wait();
${asking}`;
const commonScript = `
const { Disco } = require("disco-mapreduce");
${spinning}
(async () => {
const disco = new Disco();
const job = await disco.newJob("script", jobDict);
await job.wait();
${asking}
})();`;
/** What a remote master gets: functions and what they import, in one module. */
const portableScript = `
import { Disco, Job, JobDict } from "disco-mapreduce";
import { spin } from "./spin.ts";
const disco = new Disco();
const pack = await new JobDict({
  input: ["raw://a"],
  map: (line: string) => {
    spin(${spinMs});
    return [[line, 1]];
  },
  profile: true,
}).pack();
const job = new Job(disco, await (await disco.master()).submit(pack));
await job.wait();
${asking}`;
describe("the profile of a script", { timeout: 120_000, concurrency: 2 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-profiled-"));
    for (const type of ["module", "commonjs"]) {
      await mkdir(join(folder, type, "node_modules"), { recursive: true });
      await writeFile(join(folder, type, "package.json"), JSON.stringify({ type }));
      await symlink(join(import.meta.dirname, "..", ".."), join(folder, type, "node_modules", "disco-mapreduce"));
    }
    await writeFile(
      join(folder, "module", "spin.ts"),
      `\n\nexport ${typed(spinning).split("const jobDict")[0]?.trim()}\n`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const [title, name, source, args] of [
    ["that is a module in TypeScript", "module/job.ts", typed(moduleScript), []],
    ["that is a module in JavaScript", "module/plain.js", moduleScript, []],
    ["in CommonJS", "commonjs/job.cjs", commonScript, []],
    ["in CommonJS and TypeScript", "commonjs/job.ts", typed(commonScript), []],
    ["that runs under tsx", "module/tsx.ts", typed(`enum Unused { One }\n${moduleScript}`), ["--import", "tsx"]],
    ["whose functions were bundled", "module/portable.ts", portableScript, []],
    [
      "whose functions were bundled under tsx",
      "module/both.ts",
      `enum Unused { One }\n${portableScript}`,
      ["--import", "tsx"],
    ],
  ] as const) {
    it(`${title} is in terms of its file and lines`, async () => {
      const file = join(folder, name);
      await writeFile(file, source);
      const done = await runScript(file, { root: join(folder, `root-${name.replace(/\W/g, "-")}`), args });
      assert.equal(done.code, 0, done.stderr);
      const { functions } = JSON.parse(done.stdout) as ProfileStats;
      const place = (text: string, path: string): [string, number] => {
        const at = readFileSync(path, "utf8")
          .split("\n")
          .findIndex((line) => line.includes(text));
        return [path, at + 1];
      };
      const found = (fn: string) => functions.find((one) => one.name === fn);
      const spinFile = name.includes("portable") || name.includes("both") ? join(folder, "module", "spin.ts") : file;
      assert.deepEqual([found("map")?.file, found("map")?.line], place("map: (line", file), done.stdout);
      assert.deepEqual([found("spin")?.file, found("spin")?.line], place("function spin", spinFile));
      assert.ok((found("spin")?.totalMs ?? 0) >= spinMs / 4, done.stdout);
      const spun = found("spin")?.lines.map(({ line }) => line) ?? [];
      // A runner that puts a file into one line leaves functions their places, but not their lines.
      if (spun.length > 0) assert.ok(spun.includes(place("while (", spinFile)[1]), done.stdout);
      else assert.ok(args.length > 0, "lines are known");
    });
  }
});
