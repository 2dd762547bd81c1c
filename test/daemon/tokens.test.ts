/** Where tokens of a daemon are, and above all where they are not. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { daemonCommands } from "./daemon-commands.ts";

const secret = "a-token-that-nobody-may-see-anywhere";
const commands = daemonCommands();
const { disco, report, record } = commands;

describe("tokens of a daemon", () => {
  it("are in no list of processes, file, log or output, nor in the environment of workers", async () => {
    const env = { DISCO_TOKEN: secret };
    const outputs = [await disco(["start", "--log-level", "trace"], env)];
    const { pid, url } = record();
    outputs.push(
      await disco(["status", "--json"], env),
      await disco(["config", "--json"], env),
      await disco(["config"], env),
      await disco(["doctor", "--json"], env),
      await disco(["start", "--json"], env),
      await disco(["start", "--workers", "7"], env),
    );
    await fetch(`${url}/api/v1/master`, { headers: { authorization: `Bearer ${secret}x` } });
    await fetch(`${url}/api/v1/master`, { headers: { authorization: `Bearer ${secret}` } });
    const processes = [pid, ...childrenOf(pid)];
    assert.ok(processes.length > 1, "there is a worker");
    for (const one of processes) outputs.push({ code: 0, signal: null, stdout: procFile(one, "cmdline"), stderr: "" });
    for (const one of childrenOf(pid))
      outputs.push({ code: 0, signal: null, stdout: procFile(one, "environ"), stderr: "" });
    outputs.push(await disco(["stop", "--json"], env));
    for (const name of ["daemon.log", "daemon-start.json"]) {
      outputs.push({ code: 0, signal: null, stdout: await readFile(join(commands.root, name), "utf8"), stderr: "" });
    }
    for (const { stdout, stderr } of outputs) assert.ok(!`${stdout}${stderr}`.includes(secret), stdout + stderr);
  });

  it("are needed to see how it is, and are not lost at a restart from a shell that has none", async () => {
    const env = { DISCO_TOKEN: secret };
    const first = await report(["start"], env);
    assert.equal((await report(["status"], env)).problem, null);
    const blind = await report(["status"]);
    assert.equal(blind.code, 0);
    assert.match(blind.problem ?? "", /asks for a token/);
    assert.match(
      (await report(["status"], { DISCO_TOKEN: "another-token-of-somebody" })).problem ?? "",
      /does not know this token/,
    );
    const refused = await report(["restart"]);
    assert.equal(refused.code, 2);
    assert.equal(refused.error?.code, "token-needed");
    assert.equal(record().instance, first.instance);
    assert.equal((await report(["restart"], env)).code, 0);
    assert.match((await report(["status"])).problem ?? "", /asks for a token/);
  });

  it("are needed for an address that others reach: without one nothing is started", async () => {
    const refused = await report(["start", "--host", "0.0.0.0"]);
    assert.equal(refused.code, 2);
    assert.equal(refused.error?.code, "token-needed");
    assert.ok(!existsSync(join(commands.root, "daemon.log")));
    const file = join(commands.root, "token");
    const made = await disco(["token", "new", file]);
    assert.equal(made.code, 0, made.stderr);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const started = await report(["start", "--host", "0.0.0.0", "--token-file", file, "--node", "n1"]);
    assert.equal(started.code, 0, JSON.stringify(started));
    await disco(["stop"]);
    const { stdout } = await disco(["start", "--host", "0.0.0.0", "--token-file", file, "--node", "n1"]);
    assert.match(stdout, /^ {2}elsewhere +(?:disco:\/\/|every address).* \(other machines, with a token\)$/m);
    assert.doesNotMatch(/^ {2}elsewhere +(.*)$/m.exec(stdout)?.[1] ?? "", /127\.0\.0\.1|localhost/);
    assert.equal((await report(["status"], { DISCO_TOKEN_FILE: file })).problem, null);
  });

  it("may stand in a file that DISCO_TOKEN_FILE names, for every command and for the modules that they load", async () => {
    const file = join(commands.root, "token");
    assert.equal((await disco(["token", "new", file])).code, 0);
    assert.equal((await report(["start", "--token-file", file])).code, 0);
    const module = join(commands.root, "job.ts");
    const own = `import { Disco } from "disco-mapreduce";
      export default async () => {
        await using disco = new Disco();
        return await (await disco.newJob("own", { input: ["raw://a"], map: (line: string) => [[line, 1]] })).wait();
      };`;
    await writeFile(module, own);
    const env = { DISCO_TOKEN_FILE: file };
    for (const args of [["run", module, "-o", "-"], ["jobs"], ["cat", "own"]]) {
      const done = await disco(args, env);
      assert.equal(done.code, 0, `${args.join(" ")}: ${done.stderr}`);
      assert.match(done.stdout, args[0] === "jobs" ? /^own@\S+ +ready/m : /^a\t1$/m);
      assert.match((await disco(args)).stderr, /asks for a token/, "without it, it is refused");
    }
  });
});

function childrenOf(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return list === "" ? [] : list.split(" ").map(Number);
}

function procFile(pid: number, name: "cmdline" | "environ"): string {
  return readFileSync(`/proc/${pid}/${name}`, "utf8");
}
