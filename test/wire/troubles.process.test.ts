/** What workers of jobs' own meet and do: failures that pass, failures that do not, floods, addresses, values beside the results, chains. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as passed } from "node:timers/promises";
import { startDaemon, type TestDaemon } from "../daemon/daemon.test-kit.ts";
import { ask, shown } from "../daemon/plain-http.test-kit.ts";
import {
  runWireJob,
  scenarioFiles,
  submitWireJob,
  type WireEnd,
  type WireJob,
  waitForWireJob,
} from "./client.test-kit.ts";
import { noPython } from "./python.test-kit.ts";

const patienceMs = 30_000;

/** A job of one stage that does what `scenario` says. */
function oneStage(scenario: string, inputs: readonly (readonly string[])[], more: Partial<WireJob> = {}): WireJob {
  const pipeline = [[scenario, "split", false]];
  const jobdict = { pipeline, inputs: inputs.map((urls) => [0, 0, urls]), ...more.jobdict };
  return { files: scenarioFiles, jobdict, data: { do: { [scenario]: scenario }, ...(more.data as object) } };
}

function assertReady({ status, events }: WireEnd): void {
  assert.equal(status, "ready", events.join("\n"));
}

describe("workers that jobs bring along", { skip: noPython }, () => {
  let daemon: TestDaemon;
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "disco-wire-"));
    daemon = await startDaemon();
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [scenario, said] of [
    ["error_first", /not yet: blåbær/],
    ["crash_first", /Traceback: this is the end/],
    ["killed_first", /SIGSEGV/],
  ] as const) {
    it(`${scenario}: the task is tried again`, async () => {
      const end = await runWireJob(daemon.url, oneStage(scenario, [["raw://words"]]));
      assertReady(end);
      assert.deepEqual(end.outputs, [[0, "words"]]);
      assert.ok(
        end.events.some((event) => said.test(event)),
        end.events.join("\n"),
      );
    });
  }

  it("FATAL ends the job, with the worker's own text", async () => {
    const end = await runWireJob(daemon.url, oneStage("fatal", [["raw://words"]]));
    assert.equal(end.status, "dead");
    assert.ok(
      end.events.some((event) => /^FATAL: \[fatal:0\] there is no point in going on/.test(event)),
      end.events.join("\n"),
    );
  });

  it("an input is read from another replica, and one that has none fails its task by name", async () => {
    const gone = "/no/such/file";
    const end = await runWireJob(daemon.url, oneStage("copy", [[gone, "raw://words"]]));
    assertReady(end);
    assert.deepEqual(end.outputs, [[0, "words"]]);
    const settings = JSON.stringify({ max_failure_rate: "1" });
    assert.equal((await ask(daemon.url, "/disco/ctrl/save_settings", { method: "POST", body: settings })).status, 200);
    const dead = await runWireJob(daemon.url, oneStage("copy", [[gone]]));
    const usual = JSON.stringify({ max_failure_rate: "100" });
    await ask(daemon.url, "/disco/ctrl/save_settings", { method: "POST", body: usual });
    assert.equal(dead.status, "dead");
    assert.ok(
      dead.events.some((event) => event.includes(gone)),
      dead.events.join("\n"),
    );
  });

  it("outputs may be addresses, which the next stage gets with their labels", async () => {
    const pipeline = [
      ["addresses", "split", false],
      ["copy", "group_label", false],
    ];
    const addresses = ["raw://first", "raw://other"];
    const end = await runWireJob(daemon.url, {
      files: scenarioFiles,
      jobdict: { pipeline, inputs: [[0, 0, ["raw://x"]]] },
      data: { do: { addresses: "addresses", copy: "copy" }, addresses },
    });
    assertReady(end);
    assert.deepEqual(end.outputs.map(([, text]) => text).toSorted(), ["first", "other"]);
  });

  it("a flood of messages is answered, thinned out, and kills nobody", async () => {
    const messages = 6_000;
    const end = await runWireJob(daemon.url, oneStage("chat", [["raw://words"]], { data: { messages } }));
    assertReady(end);
    assert.deepEqual(end.outputs, [[0, "words"]]);
    const told = end.events.filter((event) => event.startsWith("MSG: [chat:0] message ")).length;
    assert.ok(told > 0 && told < messages / 10, `${told} messages came through`);
  });

  it("a task has a thousand inputs", async () => {
    const inputs = Array.from({ length: 1_000 }, (_, i) => [0, 0, [`raw://${i}`]]);
    const end = await runWireJob(daemon.url, {
      files: scenarioFiles,
      jobdict: { pipeline: [["count", "group_all", false]], inputs },
      data: { do: { count: "count" } },
    });
    assertReady(end);
    assert.deepEqual(JSON.parse(end.outputs[0]?.[1] ?? ""), { inputs: 1_000, asked: 1, ids: 1_000 });
  });

  it("a job reads the results of another one", async () => {
    const first = await runWireJob(daemon.url, oneStage("copy", [["raw://words"], ["raw://texts"]]));
    assertReady(first);
    const inputs = first.results.map((replicas) => [0, 0, replicas]);
    const second = await runWireJob(daemon.url, {
      files: scenarioFiles,
      jobdict: { pipeline: [["copy", "group_all", false]], inputs },
      data: { do: { copy: "copy" } },
    });
    assertReady(second);
    assert.deepEqual([...(second.outputs[0]?.[1].match(/words|texts/g) ?? [])].toSorted(), ["texts", "words"]);
    const classic = { input: first.results, nr_reduces: 1, "map?": false, "reduce?": true };
    const third = await runWireJob(daemon.url, {
      version: 1,
      files: scenarioFiles,
      jobdict: classic,
      data: { do: { reduce: "copy" } },
    });
    assertReady(third);
    assert.equal(third.outputs[0]?.[1].length, "wordstexts".length);
  });

  it("results are saved as a tag", async () => {
    const job = oneStage("copy", [["raw://words"]], { jobdict: { save_results: true } });
    const end = await runWireJob(daemon.url, job);
    assertReady(end);
    assert.deepEqual(end.results, [`tag://disco:results:${end.job}`]);
    const tag = (await ask(daemon.url, `/ddfs/tag/disco:results:${end.job}`)).json() as { urls: string[][] };
    assert.equal(tag.urls.length, 1);
    const path = tag.urls[0]?.[0]?.replace(/^disco:\/\/[^/]+/, "") ?? "";
    assert.equal((await ask(daemon.url, path)).text, "words");
  });

  it("a worker stores values beside the results by HTTP", async () => {
    const end = await runWireJob(daemon.url, oneStage("put_oob", [["raw://words"]]));
    assertReady(end);
    const tag = await ask(daemon.url, `/ddfs/tag/disco:job:oob:${end.job}`, { headers: shown("job") });
    assert.equal(tag.status, 200, tag.text);
    const { urls } = tag.json() as { urls: string[][] };
    assert.equal(urls.length, 1);
    const path = urls[0]?.[0]?.replace(/^disco:\/\/[^/]+/, "") ?? "";
    assert.match(path, /greeting/);
    assert.equal((await ask(daemon.url, path)).text, "good day");
  });

  it("sees the pack's environment, and nothing that Disco's own settings say", async () => {
    const job = oneStage("environment", [["raw://words"]]);
    const end = await runWireJob(daemon.url, { ...job, jobenvs: { PYTHONPATH: "lib", SPEECH: "blåbær" } });
    assertReady(end);
    const seen = JSON.parse(end.outputs[0]?.[1] ?? "") as Record<string, string>;
    assert.equal(seen.PYTHONPATH, "lib");
    assert.equal(seen.SPEECH, "blåbær");
    assert.equal(seen.DISCO_ROOT, undefined);
  });

  it("a job that is killed takes the processes of its workers with it", async () => {
    const pids = join(folder, "pids");
    const job = await submitWireJob(daemon.url, oneStage("linger", [["raw://words"]], { data: { pids } }));
    const until = performance.now() + patienceMs;
    while (!existsSync(pids) || !readFileSync(pids, "utf8").endsWith("\n")) {
      assert.ok(performance.now() < until, "the worker has begun");
      await passed(20);
    }
    const processes = readFileSync(pids, "utf8").trim().split(" ").map(Number);
    assert.equal(processes.length, 2);
    await ask(daemon.url, "/disco/ctrl/kill_job", { method: "POST", body: JSON.stringify(job) });
    const { status } = await waitForWireJob(daemon.url, job);
    assert.equal(status, "dead");
    while (processes.some(isRunning)) {
      assert.ok(performance.now() < until, `${processes.join(", ")} are gone`);
      await passed(20);
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    // A process that ended and was not waited for yet runs no more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
