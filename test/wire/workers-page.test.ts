/** `docs/workers.md` says what is so: its session, its worker, its pack and its checks are those that there are. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Bench } from "../../src/cli/check-worker/bench.ts";
import { checks } from "../../src/cli/check-worker/checks.ts";
import { readSubject } from "../../src/cli/check-worker/subject.ts";
import { transcriptOf } from "../../src/cli/check-worker/transcript.ts";
import { decodeJobPack } from "../../src/protocol/jobpack.ts";
import { readDiscoDict } from "../../src/protocol/jobpack-dict.ts";
import { readHome } from "../../src/protocol/jobpack-zip.ts";
import { FrameReader } from "../../src/protocol/worker-protocol/frames.ts";
import { readWorkerMessage } from "../../src/protocol/worker-protocol/messages.ts";
import { noPython, python } from "./python.test-kit.ts";

const root = join(import.meta.dirname, "..", "..");
const worker = join(root, "examples", "workers", "word_count.py");
let page = "";
let folder = "";

before(async () => {
  page = await readFile(join(root, "docs", "workers.md"), "utf8");
  folder = await mkdtemp(join(tmpdir(), "disco-page-"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** The first block of code below a heading. */
function codeBelow(heading: string): string {
  const at = page.indexOf(`\n${heading}\n`);
  assert.ok(at >= 0, `${heading} is a heading`);
  const [, code] = /\n```[a-z]*\n([^]*?)\n```\n/.exec(page.slice(at)) ?? [];
  return code ?? assert.fail(`there is code below ${heading}`);
}

describe("docs/workers.md", () => {
  it("has the session that the checker prints", { skip: noPython }, async () => {
    const program = join(folder, "word_count.py");
    await writeFile(program, (await readFile(worker, "utf8")).replace(/^#!.*/, `#!${python}`));
    const limits = { silenceMsMax: 30_000, runMsMax: 60_000 };
    await using bench = await Bench.open(await readSubject(program, {}), limits);
    assert.deepEqual(transcriptOf(await bench.plain(), bench), codeBelow("### A session").split("\n"));
  });

  it("shows messages as they are: each is a frame, and what workers send is understood", () => {
    const kinds = codeBelow("### A session")
      .split("\n")
      .map((line) => {
        const [frame, ...others] = new FrameReader().push(Buffer.from(`${line.slice(2)}\n`));
        assert.ok(frame !== undefined && others.length === 0, line);
        return line.startsWith("> ") ? readWorkerMessage(frame).kind : "";
      });
    assert.deepEqual(kinds.filter(Boolean), ["WORKER", "TASK", "INPUT", "OUTPUT", "DONE"]);
  });

  it("has the whole worker, as it is in the examples", async () => {
    assert.equal(`${codeBelow("## A whole worker")}\n`, await readFile(worker, "utf8"));
  });

  it("makes a job pack that is one", { skip: noPython }, async () => {
    const [, script = ""] = /Without it, in Python:\n\n```python\n([^]*?)```/.exec(page) ?? [];
    const done = spawnSync(python, ["-c", script], { cwd: join(root, "examples", "workers"), encoding: "buffer" });
    assert.equal(done.status, 0, done.stderr.toString());
    const { version, jobdict, jobhome, jobdata } = decodeJobPack(done.stdout);
    assert.equal(version, 2);
    const { worker: path, pipeline, inputs } = readDiscoDict(jobdict, version);
    assert.deepEqual(
      pipeline.map(({ name, grouping }) => `${name} ${grouping}`),
      ["map split", "reduce group_label"],
    );
    assert.deepEqual(
      inputs.map(({ replicas }) => replicas),
      [["raw://a_rose_is_a_rose"]],
    );
    const home = readHome(jobhome);
    assert.deepEqual(home.get(path), { contents: await readFile(worker), mode: 0o755 });
    assert.deepEqual(JSON.parse(Buffer.from(jobdata).toString()), { partitions: 2 });
  });

  it("lists the checks", () => {
    const lines = codeBelow("## The checks").split("\n");
    assert.deepEqual(
      lines.map((line) => line.split(/ {2,}/)),
      checks.map(({ id, title }) => [id, title]),
    );
  });
});
