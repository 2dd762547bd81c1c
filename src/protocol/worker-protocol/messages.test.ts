import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MessageError, readWorkerMessage } from "./messages.ts";

const read = (name: string, body: string): unknown => readWorkerMessage({ name, body: Buffer.from(body) });

test("messages are read as the protocol has them", () => {
  assert.deepEqual(read("WORKER", '{"pid": 7, "version": "1.1", "more": 1}'), {
    kind: "WORKER",
    pid: 7,
    version: "1.1",
  });
  assert.deepEqual(read("INPUT", '""'), { kind: "INPUT", select: "all", ids: [] });
  assert.deepEqual(read("INPUT", '["include", [0, 4]]'), { kind: "INPUT", select: "include", ids: [0, 4] });
  assert.deepEqual(read("INPUT_ERR", "[3, [0, 1]]"), { kind: "INPUT_ERR", input: 3, replicas: [0, 1] });
  assert.deepEqual(read("OUTPUT", '[1, "x", 0]'), { kind: "OUTPUT", label: 1, location: "x", size: 0 });
  assert.deepEqual(read("MSG", '"\\u00e9 \\ud800"'), { kind: "MSG", text: "é \ud800" });
  for (const kind of ["TASK", "PING", "DONE"]) assert.deepEqual(read(kind, '""'), { kind });
});

for (const [name, body, why] of [
  ["NOSUCH", '""', /^Unknown message type 'NOSUCH'/],
  ["MSG", '"half', /^Payload is not valid JSON: type 'MSG'/],
  ["MSG", "", /^Payload is not valid JSON/],
  ["MSG", "[1]", /^Invalid message body \(type 'MSG'\): a string expected, \[1\] received/],
  ["WORKER", '{"version": "1.1"}', /"pid": number/],
  ["WORKER", '{"pid": 0, "version": "1.1"}', /"pid": number/],
  ["WORKER", "[]", /"pid": number/],
  ["INPUT", '["all", []]', /include.*exclude/],
  ["INPUT", '["include", [-1]]', /include/],
  ["INPUT", '["include", ["1"]]', /include/],
  ["INPUT_ERR", "[0]", /\[input, \[replica/],
  ["INPUT_ERR", "[0, 1]", /\[input, \[replica/],
  ["OUTPUT", '[0, "x"]', /\[label, path or address, size\]/],
  ["OUTPUT", '[0, "", 1]', /label/],
  ["OUTPUT", '[-1, "x", 1]', /label/],
  ["OUTPUT", '[0, "x", 1.5]', /label/],
  ["OUTPUT", '[0, "x", 1e300]', /label/],
  ["OUTPUT", '[0, "x", 1000000000000000]', /label/],
  ["OUTPUT", '[1000000000000000, "x", 1]', /label/],
] as const) {
  test(`${name} ${body} is no message, which is said with what is expected`, () => {
    assert.throws(
      () => read(name, body),
      (error) => error instanceof MessageError && why.test(error.message),
    );
  });
}

test("a body that is nested more deeply than a stack is no message, like any other", () => {
  const body = "[".repeat(200_000) + "]".repeat(200_000);
  for (const name of ["WORKER", "INPUT", "INPUT_ERR", "MSG", "OUTPUT", "ERROR"])
    assert.throws(() => read(name, body), { name: "MessageError", message: /\[{200} received$/ });
});

test("what would take much memory is refused before it is read: long lists where a text is expected, and all that is long but no text", () => {
  // Were they read, it would be said that they are no JSON.
  assert.throws(() => read("MSG", " \n[[],[],"), { message: /a string expected/ });
  const long = "[],".repeat(6_000_000);
  assert.throws(() => read("INPUT", `["include",[${long}`), { message: /it has 18000012 bytes of at most 16777216$/ });
  assert.throws(() => read("DONE", long), { message: /of at most 16777216$/ });
  const text = "x".repeat(20_000_000);
  assert.deepEqual(read("MSG", ` "${text}"`), { kind: "MSG", text });
});

test("a message names a million inputs at most", () => {
  assert.throws(() => read("INPUT", `["include", [0${",0".repeat(1_000_000)}]]`), MessageError);
});

test("text that is no UTF-8 is no message", () => {
  const body = Buffer.from([0x22, 0xff, 0xfe, 0x22]);
  assert.throws(() => readWorkerMessage({ name: "MSG", body }), MessageError);
});

const names = fc.constantFrom(
  "WORKER",
  "TASK",
  "INPUT",
  "INPUT_ERR",
  "MSG",
  "OUTPUT",
  "PING",
  "DONE",
  "ERROR",
  "FATAL",
  "X",
);

test("whatever a worker sends is a message or a MessageError", () => {
  const bodies = fc.oneof(
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(names, bodies, (name, body) => {
      try {
        assert.equal(readWorkerMessage({ name, body }).kind, name);
      } catch (error) {
        assert.ok(error instanceof MessageError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});
