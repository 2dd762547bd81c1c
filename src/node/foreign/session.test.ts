import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { TaskBody, WorkerMessage } from "../../protocol/worker-protocol/messages.ts";
import { ForeignSession, type SessionStep } from "./session.ts";
import type { SessionInput } from "./session-inputs.ts";

const body: TaskBody = {
  taskid: 4,
  master: "http://127.0.0.1:1",
  disco_port: 1,
  put_port: 2,
  ddfs_data: "/d",
  disco_data: "/e",
  stage: "map",
  grouping: "split",
  group: [0, "a"],
  jobfile: "/j",
  jobname: "words@1",
  host: "a",
};

function jobInput(...replicas: string[]): SessionInput {
  return { label: 0, replicas };
}

/** The output of a task of the stage before, at its `made`th attempt. */
function output(task: number, made = 0): SessionInput {
  const ref = { host: "a", file: `a/map-${task}-${made}.results`, at: 0, length: 1, digest: `d${made}` };
  return { label: "all", replicas: [`dir://a/${ref.file}`], output: { stage: 0, task, ref } };
}

function open(inputs: readonly SessionInput[] = [], complete = true): ForeignSession {
  const session = new ForeignSession({ task: body, inputs, complete });
  assert.deepEqual(session.receive({ kind: "WORKER", pid: 7, version: "1.1" }), answer("OK", "ok"));
  return session;
}

function answer(kind: string, answered: unknown): unknown {
  return { kind: "answer", message: { kind, body: answered } };
}

function end(kind: string, more: object): unknown {
  return { kind: "end", end: { kind, ...more } };
}

const all: WorkerMessage = { kind: "INPUT", select: "all", ids: [] };

describe("a session", () => {
  test("goes from the announcement to DONE, which has no answer", () => {
    const session = open([jobInput("http://x/1", "http://y/1")]);
    assert.deepEqual(session.receive({ kind: "TASK" }), answer("TASK", body));
    const entry = [
      0,
      "ok",
      0,
      [
        [0, "http://x/1"],
        [1, "http://y/1"],
      ],
    ];
    assert.deepEqual(session.receive(all), answer("INPUT", ["done", [entry]]));
    assert.deepEqual(session.receive({ kind: "PING" }), answer("OK", "pong"));
    const said = session.receive({ kind: "MSG", text: "hello" });
    assert.deepEqual(said, { kind: "said", text: "hello", message: { kind: "OK", body: "ok" } });
    const claim: WorkerMessage = { kind: "OUTPUT", label: 3, location: "./out//part", size: 5 };
    assert.deepEqual(session.receive(claim), answer("OK", "ok"));
    const outputs = [{ label: 3, place: { kind: "path", segments: ["out", "part"] }, size: 5 }];
    assert.deepEqual(session.receive({ kind: "DONE" }), end("done", { outputs }));
    assert.equal(session.isOver, true);
  });

  test("begins with WORKER and with nothing else", () => {
    const session = new ForeignSession({ task: body, inputs: [], complete: true });
    const step = session.receive({ kind: "TASK" });
    assert.ok(step.kind === "end" && step.end.kind === "violation");
    assert.match(step.end.text, /first message was TASK/);
  });

  test("ends the job for another version of the protocol, and names both", () => {
    const session = new ForeignSession({ task: body, inputs: [], complete: true });
    const step = session.receive({ kind: "WORKER", pid: 7, version: "2.0" });
    assert.ok(step.kind === "end" && step.end.kind === "violation");
    assert.match(step.end.text, /Invalid worker version: 2\.0.*1\.1/);
  });

  test("ends when a worker announces itself twice", () => {
    const step = open().receive({ kind: "WORKER", pid: 7, version: "1.1" });
    assert.ok(step.kind === "end" && step.end.kind === "violation");
  });

  test("passes on what the worker says of its failure", () => {
    assert.deepEqual(open().receive({ kind: "ERROR", text: "bad node" }), end("error", { text: "bad node" }));
    assert.deepEqual(open().receive({ kind: "FATAL", text: "bad job" }), end("fatal", { text: "bad job" }));
  });

  test("gives the inputs that are asked for, and calls those that do not exist failed", () => {
    const session = open([jobInput("a:1"), jobInput("a:2"), jobInput("a:3")]);
    const ids = (message: WorkerMessage): unknown[] => {
      const step = session.receive(message);
      assert.ok(step.kind === "answer" && step.message.kind === "INPUT");
      return step.message.body[1].map(([id, status]) => `${id} ${status}`);
    };
    assert.deepEqual(ids({ kind: "INPUT", select: "include", ids: [2, 0] }), ["2 ok", "0 ok"]);
    assert.deepEqual(ids({ kind: "INPUT", select: "exclude", ids: [1, 9] }), ["0 ok", "2 ok"]);
    assert.deepEqual(ids({ kind: "INPUT", select: "include", ids: [9] }), ["9 failed"]);
  });

  for (const location of ["/etc/passwd", "../other/x", "a/../../x", "", "./", "a\0b", "x".repeat(5_000)]) {
    test(`refuses the output ${JSON.stringify(location.slice(0, 20))}: it is none of the job home`, () => {
      const step = open().receive({ kind: "OUTPUT", label: 0, location, size: 1 });
      assert.ok(step.kind === "end" && step.end.kind === "error");
      assert.match(step.end.text, /^Invalid output: /);
    });
  }

  test("takes an address for an output, in one word", () => {
    const session = open();
    session.receive({ kind: "OUTPUT", label: 0, location: "raw://two words\n", size: 1 });
    const step = session.receive({ kind: "DONE" });
    assert.ok(step.kind === "end" && step.end.kind === "done");
    assert.deepEqual(step.end.outputs[0]?.place, { kind: "address", url: "raw://two%20words%0A" });
  });
});

describe("inputs that cannot be read", () => {
  test("are tried at the other replicas, those that failed least recently first", () => {
    const session = open([jobInput("a:", "b:", "c:")]);
    const failed = (...replicas: number[]): SessionStep => session.receive({ kind: "INPUT_ERR", input: 0, replicas });
    const retry = (...replicas: (readonly [number, string])[]): unknown => answer("RETRY", replicas);
    assert.deepEqual(failed(0), retry([1, "b:"], [2, "c:"]));
    assert.deepEqual(failed(1), retry([2, "c:"], [0, "a:"]));
    assert.deepEqual(failed(0, 1, 2), answer("FAIL", ""));
    // The order in which a worker finds them from now on.
    const step = session.receive(all);
    assert.ok(step.kind === "answer" && step.message.kind === "INPUT");
    assert.deepEqual(step.message.body[1][0]?.[3], [
      [0, "a:"],
      [1, "b:"],
      [2, "c:"],
    ]);
  });

  test("are not tried for ever by a worker that names one replica at a time", () => {
    const session = open([jobInput("a:", "b:")]);
    let retries = 0;
    for (let replica = 0; ; replica = 1 - replica) {
      const step = session.receive({ kind: "INPUT_ERR", input: 0, replicas: [replica] });
      assert.ok(step.kind === "answer");
      if (step.message.kind === "FAIL") break;
      assert.ok(++retries < 10);
    }
    assert.ok(retries >= 2);
  });

  test("are named with the error that the worker ends with", () => {
    const session = open([jobInput("http://gone/1")]);
    session.receive({ kind: "INPUT_ERR", input: 0, replicas: [0] });
    const expected = end("error", { text: "no input", input: "http://gone/1" });
    assert.deepEqual(session.receive({ kind: "ERROR", text: "no input" }), expected);
  });

  test("of an earlier stage are looked at: a lost one ends the attempt, of another the worker is told to give up", () => {
    for (const lost of [true, false]) {
      const session = open([output(3)]);
      const step = session.receive({ kind: "INPUT_ERR", input: 0, replicas: [0] });
      assert.deepEqual(step, { kind: "check", output: output(3).output });
      assert.equal(session.holdsBack, true);
      const next = session.checked(lost);
      assert.deepEqual(next, lost ? end("input-lost", { output: output(3).output }) : answer("FAIL", ""));
      assert.equal(session.isOver, lost);
    }
  });

  test("that do not exist are the worker's error", () => {
    const step = open([jobInput("a:")]).receive({ kind: "INPUT_ERR", input: 5, replicas: [0] });
    assert.ok(step.kind === "end" && step.end.kind === "error");
    assert.match(step.end.text, /input 5: there are 1/);
  });
});

describe("a session that is asked for too much", () => {
  test("gives each input once, however often it is named", () => {
    const session = open([jobInput("http://x/1")]);
    const step = session.receive({ kind: "INPUT", select: "include", ids: Array(100_000).fill(0) });
    assert.ok(step.kind === "answer" && step.message.kind === "INPUT");
    assert.deepEqual(step.message.body[1], [[0, "ok", 0, [[0, "http://x/1"]]]]);
  });

  test("keeps no more of outputs than an index may have", () => {
    const session = open();
    const location = `http://x/${"y".repeat(1_000_000)}`;
    let step: SessionStep = session.receive({ kind: "PING" });
    let outputs = 0;
    for (; step.kind === "answer" && outputs < 100; outputs++)
      step = session.receive({ kind: "OUTPUT", label: 0, location, size: 1 });
    assert.ok(step.kind === "end" && step.end.kind === "error", step.kind);
    assert.match(step.end.text, /^Too many outputs: a task has at most 1000000 outputs/);
    assert.equal(outputs, 34);
  });
});

describe("a session of a concurrent stage", () => {
  test("owes the answer until there is an input, and says more until there will be no other", () => {
    const session = open([], false);
    assert.deepEqual(session.receive(all), { kind: "wait" });
    assert.equal(session.isWaiting, true);
    const first = session.inputsArrived([output(0)], false);
    assert.deepEqual(first, answer("INPUT", ["more", [[0, "ok", "all", [[0, "dir://a/a/map-0-0.results"]]]]]));
    const asked = session.receive({ kind: "INPUT", select: "exclude", ids: [0] });
    assert.deepEqual(asked, { kind: "wait" });
    assert.deepEqual(session.inputsArrived([output(0)], true), answer("INPUT", ["done", []]));
  });

  test("gives an output that was made again under the number that it has", () => {
    const session = open([], false);
    session.inputsArrived([output(0), output(1)], false);
    session.inputsArrived([output(0, 1), output(1), output(2)], true);
    const step = session.receive(all);
    assert.ok(step.kind === "answer" && step.message.kind === "INPUT");
    assert.deepEqual(
      step.message.body[1].map(([id, , , replicas]) => [id, replicas[0]?.[1]]),
      [
        [0, "dir://a/a/map-0-1.results"],
        [1, "dir://a/a/map-1-0.results"],
        [2, "dir://a/a/map-2-0.results"],
      ],
    );
  });

  test("is not told of what comes when nothing waits, nor after it is complete", () => {
    const session = open([], false);
    assert.equal(session.inputsArrived([output(0)], true), null);
    assert.equal(session.inputsArrived([output(1)], true), null);
    const step = session.receive(all);
    assert.ok(step.kind === "answer" && step.message.kind === "INPUT");
    assert.deepEqual(step.message.body[1].length, 1);
  });
});

const ids = fc.array(fc.nat({ max: 6 }), { maxLength: 4 });
const message: fc.Arbitrary<WorkerMessage> = fc.oneof(
  fc.constant<WorkerMessage>({ kind: "TASK" }),
  fc.constant<WorkerMessage>({ kind: "PING" }),
  fc.record({ kind: fc.constant("MSG" as const), text: fc.string() }),
  fc.record({ kind: fc.constant("INPUT" as const), select: fc.constantFrom("all", "include", "exclude"), ids }),
  fc.record({ kind: fc.constant("INPUT_ERR" as const), input: fc.nat({ max: 6 }), replicas: ids }),
  fc.record({ kind: fc.constant("OUTPUT" as const), label: fc.nat(), location: fc.string(), size: fc.nat() }),
);
const news = fc.record({
  kind: fc.constant("news" as const),
  tasks: fc.array(fc.nat({ max: 5 })),
  complete: fc.boolean(),
});

test("each message before the end has one answer, numbers of inputs stay, and done is said once there are no others", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(message, news), { maxLength: 60 }), fc.boolean(), (happenings, lost) => {
      const session = open([], false);
      const seen = new Map<number, string>();
      const come = new Set<number>();
      let complete = false;
      let owed = 0;
      let over = false;
      const take = (step: SessionStep | null): void => {
        if (step === null || step.kind === "wait" || step.kind === "check") return;
        if (step.kind === "end") {
          over = true;
          return;
        }
        owed--;
        const { message: said } = step;
        if (said.kind === "INPUT") {
          assert.equal(said.body[0], complete ? "done" : "more");
          for (const [id, status, , replicas] of said.body[1]) {
            assert.equal(status, id < come.size ? "ok" : "failed");
            const url = replicas[0]?.[1] ?? "";
            assert.equal(seen.get(id) ?? url, url);
            if (status === "ok") seen.set(id, url);
          }
        }
      };
      for (const happening of happenings) {
        if (over) break;
        if (happening.kind === "news") {
          if (!complete) for (const task of happening.tasks) come.add(task);
          complete ||= happening.complete;
          take(
            session.inputsArrived(
              happening.tasks.map((task) => output(task)),
              happening.complete,
            ),
          );
        } else if (!session.holdsBack) {
          owed++;
          const step = session.receive(happening);
          take(step);
          if (step.kind === "check") take(session.checked(lost));
        }
        assert.equal(owed, session.holdsBack || over ? 1 : 0);
      }
      if (!session.isWaiting) return;
      complete = true;
      take(session.inputsArrived([], true));
      assert.equal(owed, 0);
    }),
  );
});
