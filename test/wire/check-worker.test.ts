/**
 * The conformance checker, on the word count of `examples/workers`, which passes, and on copies of it that have one fault each, which are
 * found out by the check that is there for it.
 */
import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Bench } from "../../src/cli/check-worker/bench.ts";
import { type CheckResult, checks, runChecks } from "../../src/cli/check-worker/checks.ts";
import { readSubject } from "../../src/cli/check-worker/subject.ts";
import { CommandPlace } from "../cli/cli.test-kit.ts";
import { programPack } from "./pack.test-kit.ts";
import { noPython, python } from "./python.test-kit.ts";

const goodWorker = join(import.meta.dirname, "..", "..", "examples", "workers", "word_count.py");
let place: CommandPlace;
let folder = "";
let source = "";

before(async () => {
  place = await CommandPlace.open({ shared: true });
  ({ folder } = place);
  // By its own path: what is called python3 may be a script that looks for it.
  source = (await readFile(goodWorker, "utf8")).replace(/^#!.*/, `#!${python}`);
});
after(() => place.close());

interface Fault {
  readonly what: string;
  /** The check that finds it. */
  readonly check: string;
  /** What there is in the good worker, and what is there instead. */
  readonly change: readonly (readonly [from: string, to: string])[];
  readonly came: RegExp;
  readonly next: RegExp;
  /** Of workers that say nothing. */
  readonly patience?: number;
}

const faults: readonly Fault[] = [
  {
    what: "has no line that names its interpreter",
    check: "starts",
    change: [["#!", "# "]],
    came: /a text without/,
    next: /#!\/usr\/bin\/env/,
  },
  {
    what: "names an interpreter that does not exist",
    check: "starts",
    change: [["#!", "#!/no/such"]],
    came: /ENOENT/,
    next: /interpreter/,
  },
  {
    what: "never says who it is",
    check: "announces",
    change: [['    answer, _ = ask("WORKER"', '    time.sleep(60)\n    answer, _ = ask("WORKER"']],
    came: /^nothing for 0\.4 s$/,
    next: /flush/,
    patience: 0.4,
  },
  {
    what: "speaks another version",
    check: "announces",
    change: [['"version": "1.1"', '"version": "1.0"']],
    came: /version "1\.0"/,
    next: /"1\.1"/,
  },
  {
    what: "announces a process that is not its own",
    check: "announces",
    change: [['"pid": os.getpid()', '"pid": 1']],
    came: /process id 1\b/,
    next: /the worker itself/,
  },
  {
    what: "begins with something else",
    check: "announces",
    change: [['    answer, _ = ask("WORKER"', '    send("TASK")\n    answer, _ = ask("WORKER"']],
    came: /^TASK as the first message/,
    next: /WORKER/,
  },
  {
    what: "prints on standard output",
    check: "frames",
    change: [["    try:\n        stages", '    print("working", flush=True)\n    try:\n        stages']],
    came: /on stdout.*"working/,
    next: /MSG/,
  },
  {
    what: "warns on standard error",
    check: "frames",
    change: [["    try:\n        stages", '    sys.stderr.write("warning: x\\n")\n    try:\n        stages']],
    came: /on stderr.*"warning: x\\n/,
    next: /MSG/,
  },
  {
    what: "announces two gigabytes",
    check: "frames",
    change: [['    stop("DONE")', '    os.write(2, b"MSG 2147483648 \\"")\n    time.sleep(60)']],
    came: /a message has at most 104857600 bytes/,
    next: /MSG/,
  },
  {
    what: "stops in the middle of a message",
    check: "plain",
    change: [['    stop("DONE")', '    os.write(2, b"DONE 2 \\"")\n    time.sleep(60)']],
    came: /^nothing for 2 s after OUTPUT; a message has begun, and not ended: "DONE 2 \\""$/,
    next: /flush/,
    patience: 2,
  },
  {
    what: "does not ask for its task",
    check: "task",
    change: [['TASK.update(ask("TASK")[1])', 'TASK.update(stage="map", taskid=0, host="checked-node")']],
    came: /^INPUT without TASK/,
    next: /TASK ""/,
  },
  {
    what: "puts out files outside of its job home",
    check: "plain",
    change: [["[label, name, len(data)])", '[label, "/tmp/" + name, len(data)])']],
    came: /absolute path/,
    next: /docs/,
  },
  {
    what: "ends after DONE",
    check: "waits",
    change: [["    while sys.stdin.buffer.read(65536):\n        pass\n", ""]],
    came: /ended by itself \(exit code 0\)/,
    next: /Wait for one all the same/,
  },
  {
    what: "goes on after DONE",
    check: "waits",
    change: [['    stop("DONE")', '    send("DONE")\n    stop("MSG", "more")']],
    came: /it sent "MSG/,
    next: /Wait for one all the same/,
  },
  {
    what: "claims bytes that it has not written",
    check: "outputs",
    change: [["[label, name, len(data)])", "[label, name, len(data) + 1])"]],
    came: /OUTPUT \[0,"map-.*\]: the file has 81 bytes/,
    next: /size/,
  },
  {
    what: "claims a file that it has not written",
    check: "outputs",
    change: [["[label, name, len(data)])", '[label, name + "x", len(data)])']],
    came: /there is no such file/,
    next: /before DONE/,
  },
  {
    what: "links to a file elsewhere",
    check: "outputs",
    change: [
      [
        '    with open(name, "wb") as file:',
        '    os.symlink("/tmp/" + name, name)\n    with open(name, "wb") as file:',
      ],
    ],
    came: /no regular file/,
    next: /no link/,
  },
  {
    what: "gives all outputs of a label one name",
    check: "names",
    change: [["os.getpid(), time.time_ns(), label)", "0, 0, label)"]],
    came: /another attempt of the task wrote "map-0-0-0-0"/,
    next: /process id/,
  },
  {
    what: "ends at the first list of inputs",
    check: "growing-list",
    change: [['if state == "done":', "if True:"]],
    came: /other results: 1 output of label 0/,
    next: /ask again/,
  },
  {
    what: "reads what it knows once more",
    check: "growing-list",
    change: [['["exclude", known] if known else ""', '""']],
    came: /with other contents/,
    next: /exclude/,
  },
  {
    what: "gives up with the first replica",
    check: "next-replica",
    change: [
      ["        for replica, url in replicas:", "        for replica, url in replicas[:1]:"],
      ['ask("INPUT_ERR", [number, failed])', '("FAIL", "")'],
    ],
    came: /^ERROR "input 0 cannot be read/,
    next: /in their order/,
  },
  {
    what: "does not say that a replica is broken",
    check: "retry",
    change: [['ask("INPUT_ERR", [number, failed])', '("FAIL", "")']],
    came: /^ERROR .*, without INPUT_ERR/,
    next: /RETRY/,
  },
  {
    what: "says the wrong thing of a broken replica",
    check: "retry",
    change: [["[number, failed])", "[number, [7]])"]],
    came: /INPUT_ERR \[0,\[7\]\]/,
    next: /replicas that failed/,
  },
  {
    what: "leaves out what it cannot read",
    check: "no-replica",
    change: [['            stop("ERROR", "input %d cannot be read: %s" % (number, reason))', "            return []"]],
    came: /^DONE$/,
    next: /nobody would notice/,
  },
  {
    what: "ends when it cannot read something",
    check: "no-replica",
    change: [
      ['            stop("ERROR", "input %d cannot be read: %s" % (number, reason))', "            os._exit(3)"],
    ],
    came: /exit code 3/,
    next: /ERROR/,
  },
  {
    what: "counts characters",
    check: "non-ascii",
    change: [
      [
        'body = json.dumps(payload).encode("utf-8")',
        'text = json.dumps(payload, ensure_ascii=False)\n    body = text.encode("utf-8")',
      ],
      ["len(body), body))", "len(text), body))"],
    ],
    came: /announced length/,
    next: /bytes of the JSON in UTF-8/,
  },
  {
    what: "knows no HTTP",
    check: "http",
    change: [['elif scheme not in ("http", "https"):', "elif True:"]],
    came: /^ERROR/,
    next: /GET/,
  },
  {
    what: "reads every label of an index",
    check: "index",
    change: [['if label == "all" or int(each) == label', ""]],
    came: /other results/,
    next: /LABEL SP ADDRESS SP SIZE/,
  },
  {
    what: "leaves out the beginning of paths, which differ from node to node",
    check: "http",
    change: [
      [
        "    import urllib.request",
        '    url = re.sub("/[^/]*/disco/", "/disco/", url, count=1)\n    import urllib.request',
      ],
    ],
    came: /^ERROR/,
    next: /whatever their path is/,
  },
  {
    what: "takes a part of an answer for the whole",
    check: "single-bytes",
    change: [["sys.stdin.buffer.read(int(read_word()) + 1)", "sys.stdin.buffer.read1(int(read_word()) + 1)"]],
    came: /ended by itself|FATAL|what is no message/,
    next: /whole|Catch/,
  },
  {
    what: "has no patience",
    check: "slow-answers",
    change: [
      [
        "    name = read_word()\n",
        "    signal.setitimer(signal.ITIMER_REAL, 0.2)\n    name = read_word()\n    signal.setitimer(signal.ITIMER_REAL, 0)\n",
      ],
      ["import struct\n", "import signal\nimport struct\n"],
    ],
    came: /signal SIGALRM/,
    next: /ERROR|ten minutes/,
  },
  {
    what: "does not end with its node",
    check: "node-gone",
    change: [["            os._exit(1)  # The node is gone.", "            time.sleep(60)"]],
    came: /^nothing for 2 s after TASK$/,
    next: /end of standard input/,
    patience: 2,
  },
];

async function check(program: string, ids: readonly string[], patience = 30): Promise<CheckResult[]> {
  const limits = { silenceMsMax: patience * 1_000, runMsMax: 60_000 };
  await using bench = await Bench.open(await readSubject(program, {}), limits);
  const wanted = checks.filter(({ id }) => ids.includes(id));
  assert.equal(wanted.length, ids.length);
  return await Array.fromAsync(runChecks(bench, wanted));
}

describe("disco check-worker", { skip: noPython }, () => {
  it("passes a worker that does everything right, in every check", async () => {
    const program = join(folder, "good.py");
    await writeFile(program, source);
    const done = await place.look(["check-worker", program, "--json"]);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    const { passed, results } = JSON.parse(done.stdout) as { passed: boolean; results: CheckResult[] };
    assert.equal(passed, true);
    assert.deepEqual(
      results.map(({ id, outcome }) => [id, outcome.kind]),
      checks.map(({ id }) => [id, "ok"]),
    );
  });

  it("checks the worker of a job pack, in the stage that is named, with inputs that are given", async () => {
    const pack = join(folder, "words.pack");
    await writeFile(pack, programPack({ inputs: ["raw://a_b"], partitions: 2 }));
    const counts = join(folder, "counts");
    await writeFile(counts, "fox 3\ndog 1\n");
    const args = ["check-worker", "--pack", pack, "--stage", "reduce", "--input", counts, "--only", "plain", "outputs"];
    const done = await place.look(args);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.match(done.stdout, /\n2 of 2 checks passed\n$/);
  });

  it("puts texts with spaces, which no index can name, into indexes all the same", async () => {
    const pack = join(folder, "spaces.pack");
    await writeFile(pack, programPack({ inputs: ["raw://a b", "raw://b c"], partitions: 2 }));
    const done = await place.look(["check-worker", "--pack", pack, "--only", "index"]);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.match(done.stdout, /\n1 of 1 checks passed\n$/);
  });

  it("says in one line which checks have to wait until a plain task is done", async () => {
    const program = join(folder, "says-hello.py");
    await writeFile(program, `#!${python}\nprint("hello")\n`);
    const done = await place.look(["check-worker", program]);
    assert.equal(done.code, 1, done.stdout + done.stderr);
    assert.match(
      done.stdout,
      /a plain task has to be done first; not checked yet:\n {4}waits, outputs, names, no-inputs, empty-input, bad-input, growing-list,\n/,
    );
    assert.equal(done.stdout.match(/not checked/g)?.length, 2, "and that it does not ask for its task");
    assert.match(done.stdout, /\n1 of 24 checks passed, 3 failed, 20 not made\n$/);
  });

  for (const { what, check: id, change, came, next, patience } of faults) {
    it(`finds out a worker that ${what}: ${id}`, async () => {
      let text = source;
      for (const [from, to] of change) {
        assert.ok(text.includes(from), `${from} is in the good worker`);
        text = text.replace(from, () => to);
      }
      const program = join(folder, `${id}-worker.py`);
      await writeFile(program, text);
      await chmod(program, 0o755);
      const [result] = await check(program, [id], patience);
      assert.equal(result?.outcome.kind, "failed", JSON.stringify(result));
      if (result?.outcome.kind !== "failed") return;
      const [deviation] = result.outcome.deviations;
      assert.match(deviation?.came ?? "", came);
      assert.match(deviation?.next ?? "", next);
      assert.notEqual(deviation?.expected, "");
    });
  }
});
