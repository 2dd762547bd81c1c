/** `disco run --profile` and `disco profile`, as a shell sees them. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { ProfiledFunction, ProfileStats } from "disco-mapreduce";
import { assertWellFormed } from "../../src/client/profile/cpu-profile.test-kit.ts";
import { type Finished, runDisco } from "../run-disco.ts";
import { spinning, typed } from "./spinning.ts";

describe("on the command line", { timeout: 120_000 }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-profile-cli-"));
    await writeFile(
      join(folder, "job.ts"),
      `${typed(spinning).replace("  profile: true,\n", "")}export default jobDict;\n`,
    );
    await writeFile(
      join(folder, "two.ts"),
      `import type { RunContext } from "disco-mapreduce";
${typed(spinning).replace("  profile: true,\n", "")}
export default async ({ disco }: RunContext) => {
  for (let i = 0; i < 2; i++) {
    await using job = await disco.newJob("one", jobDict as never);
    await job.wait();
  }
};
`,
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const disco = (...args: string[]): Promise<Finished> => runDisco(args, { root: join(folder, "root"), cwd: folder });

  it("disco run --profile prints the table below the results, and disco profile again", async () => {
    const ran = await disco("run", "job.ts", "--profile");
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /^ {2}a {2}1\n[^]*\n\njob@\S+: 1 task of map, .* samples\n\n +self +total +function\n/);
    assert.match(ran.stdout, /^ *[\d.]+ ms +[\d.]+ % +\d+ ms +[\d.]+ % +spin +job\.ts:2$/m);
    const again = await disco("profile", "job", "--mode", "map", "--sort", "total", "--limit", "1");
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /^job@\S+: 1 task of map/);
    assert.match(again.stdout, /\n… \d+ more\n$/);
    const json = JSON.parse((await disco("profile", "@", "--json")).stdout) as ProfileStats;
    assert.ok(json.functions.some(({ name, file }) => name === "spin" && file === join(folder, "job.ts")));
    const written = await disco("profile", "job", "-o", "job.cpuprofile");
    assert.match(written.stderr, /written: job\.cpuprofile/);
    assertWellFormed(JSON.parse(await readFile(join(folder, "job.cpuprofile"), "utf8")));
    assertWellFormed(JSON.parse((await disco("profile", "job", "-o", "-")).stdout));
  });

  it("disco run --profile leaves standard output to records and documents", async () => {
    const records = await disco("run", "job.ts", "--profile", "-o", "-", "-q");
    assert.equal(records.stdout, "a\t1\n");
    assert.match(records.stderr, / spin +job\.ts:2\n/);
    const { profile, ok } = JSON.parse((await disco("run", "job.ts", "--profile", "--json", "-q")).stdout);
    assert.equal(ok, true);
    assert.ok(profile.functions.some(({ name }: ProfiledFunction) => name === "spin"));
  });

  it("disco run --profile takes the jobs that a module runs and purges together", async () => {
    const ran = await disco("run", "two.ts", "--profile", "-q");
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /\n2 jobs: 2 tasks of map, /);
    assert.match(ran.stdout, / spin +two\.ts:3$/m);
  });

  it("disco profile says what is wrong: no such stage, no profile", async () => {
    await disco("run", "job.ts", "-q", "--name", "bare");
    const none = await disco("profile", "bare");
    assert.equal(none.code, 1);
    assert.match(none.stderr, /bare@\S+ has no profile: it was not run with profile: true/);
    const mode = await disco("profile", "bare", "--mode", "rduce");
    assert.match(mode.stderr, /has no stage "rduce"/);
    assert.equal((await disco("profile", "bare", "--sort", "name")).code, 2);
  });
});
