/** `disco stop` and `disco restart`. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isAlive } from "../../src/cli/daemon/process.ts";
import { daemonCommands } from "./daemon-commands.ts";

const commands = daemonCommands();
const { disco, report, record } = commands;

describe("disco stop", () => {
  it("says how many jobs go on at the next start, and they do", async () => {
    const gate = join(commands.root, "gate");
    await writeFile(
      join(commands.root, "patient.ts"),
      `import { existsSync } from "node:fs";
      import { setTimeout as sleep } from "node:timers/promises";
      export default {
        input: ["raw://patience"],
        params: { gate: ${JSON.stringify(gate)} },
        async map(line: string, { gate }: { gate: string }) {
          while (!existsSync(gate)) await sleep(20);
          return [[line, 1] as const];
        },
      };`,
    );
    await report(["start"]);
    const submitted = await disco(["submit", "patient.ts"]);
    assert.equal(submitted.code, 0, submitted.stderr);
    const name = submitted.stdout.trim();
    assert.equal((await report(["stop"])).activeJobs, 1);
    await report(["start"]);
    const stopped = await disco(["stop"]);
    assert.match(stopped.stdout, /^The daemon has stopped\. 1 job goes on at the next `disco start`\.$/m);
    await writeFile(gate, "");
    await report(["start"]);
    const waited = await disco(["wait", name]);
    assert.equal(waited.code, 0, waited.stderr);
    assert.equal((await disco(["cat", name])).stdout, "patience\t1\n");
    assert.equal((await report(["stop"])).activeJobs, 0);
  });

  it("does not touch a process that only has the id of a daemon that has ended", async () => {
    const bystander = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6)", "start", "--foreground"], {
      stdio: "ignore",
    });
    await once(bystander, "spawn");
    try {
      const stale = { pid: bystander.pid, url: "http://127.0.0.1:9", instance: "gone", version: "0.0.0", startedAt: 0 };
      await writeFile(join(commands.root, "daemon.json"), JSON.stringify(stale));
      for (const args of [["stop"], ["stop", "--force", "--timeout", "0"]]) {
        const { code, stdout } = await disco(args);
        assert.equal(code, 0);
        assert.match(stdout, /^No daemon runs on/);
      }
      assert.equal(bystander.exitCode, null);
      assert.equal(bystander.signalCode, null);
      const doctor = await disco(["doctor"]);
      assert.match(doctor.stdout, /its file is there: process \d+ is another program now/);
    } finally {
      bystander.kill("SIGKILL");
    }
  });

  it("ends a daemon that does not answer only by force", async () => {
    const { pid } = await report(["start"]);
    process.kill(pid, "SIGSTOP");
    const [status, refused, starting] = await Promise.all([report(["status"]), report(["stop"]), report(["start"])]);
    assert.equal(status.code, 3);
    assert.match(status.problem ?? "", /does not answer/);
    assert.equal(refused.error?.code, "daemon-silent");
    assert.match(refused.error?.hint ?? "", /disco stop --force/);
    assert.equal(starting.error?.code, "daemon-silent");
    const forced = await report(["stop", "--force", "--timeout", "0"]);
    assert.equal(forced.code, 0);
    assert.equal(forced.stopped, true);
    assert.ok(!isAlive(pid));
    assert.equal((await report(["start"])).code, 0);
  });
});

describe("disco restart", () => {
  it("warns of settings that the shell of the start had, and this one has not", async () => {
    const first = await report(["start", "--workers", "1"], { DISCO_SCHEDULER: "fifo", DISCO_GC_AFTER: "1d" });
    assert.equal(first.code, 0);
    const { code, stderr } = await disco(["restart"], { DISCO_GC_AFTER: "1d" });
    assert.equal(code, 0, stderr);
    assert.equal(
      stderr,
      "warning: scheduler.policy was fifo and is fair from now on: nothing sets it here (DISCO_SCHEDULER).\n",
    );
    assert.equal((await disco(["restart"], { DISCO_GC_AFTER: "1d" })).stderr, "");
  });

  it("starts the daemon with the options it had, apart from those that are given", async () => {
    const first = await report(["start", "--workers", "2", "--node", "n1"]);
    const second = await report(["restart", "--scheduler", "fifo"]);
    assert.equal(second.code, 0);
    assert.notEqual(second.instance, first.instance);
    const status = await report(["status"]);
    assert.equal(status.scheduler?.policy, "fifo");
    assert.deepEqual(
      status.nodes?.map(({ name, slots }) => [name, slots]),
      [["n1", 2]],
    );
    const refused = await report(["restart", "--scheduler", "lifo"]);
    assert.equal(refused.code, 2);
    assert.equal(record().instance, second.instance, "what is wrong with the settings leaves the daemon as it is");
  });

  it("starts a daemon where none runs", async () => {
    assert.equal((await report(["restart"])).started, true);
  });
});
