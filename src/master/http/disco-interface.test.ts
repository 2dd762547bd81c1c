/** Disco's own interface over sockets. Shapes are in `routes.test.ts`; here is what streams, what is kept, and what is refused. */
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { jobEvents } from "./fake-master.test-kit.ts";
import { openServer, openSocket, statusOf, type TestServer } from "./server.test-kit.ts";
import { wireEvent } from "./wire-event.ts";

let at: TestServer;
before(async () => {
  at = await openServer({ settings: { packBytesMax: 100_000 } });
});
after(() => at.close());

const post = (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  at.ask(path, { method: "POST", body, headers });

async function incoming(): Promise<string[]> {
  return await readdir(at.master.incomingDir).catch(() => []);
}

describe("Disco's interface over HTTP", () => {
  test("every answer ends its connection and is JSON that nobody keeps", async () => {
    const { status, headers } = await at.ask("/disco/version");
    assert.equal(status, 200);
    assert.equal(headers.get("connection"), "close");
    assert.equal(headers.get("content-type"), "application/json");
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal((await at.ask("/disco/nothing")).headers.get("connection"), "close");
  });

  test("settings go in as text and come out as numbers", async () => {
    assert.deepEqual((await at.ask("/disco/ctrl/get_settings")).json(), { max_failure_rate: 100, accept_new_jobs: 1 });
    const saved = await post("/disco/ctrl/save_settings", '{"max_failure_rate":"7","accept_new_jobs":"1"}');
    assert.deepEqual([saved.status, saved.json()], [200, "Settings saved"]);
    assert.deepEqual((await at.ask("/disco/ctrl/get_settings")).json(), { max_failure_rate: 7, accept_new_jobs: 1 });
  });

  test("the table of nodes is saved as a whole, or refused with the reason", async () => {
    assert.deepEqual((await at.ask("/disco/ctrl/load_config_table")).json(), [["localhost", "2"]]);
    const saved = await post("/disco/ctrl/save_config_table", '[["host01:10","4"]]');
    assert.deepEqual([saved.status, saved.json()], [200, "table saved!"]);
    assert.deepEqual(at.master.calls.at(-1), ["saveConfigTable", [["host01:10", "4"]]]);
    const twice = await post("/disco/ctrl/save_config_table", '[["a","4"],["a","5"]]');
    assert.deepEqual([twice.status, twice.json()], [400, "duplicate nodes"]);
  });

  test("each blacklist has its actions", async () => {
    for (const [path, call] of [
      ["blacklist", "blacklist"],
      ["whitelist", "whitelist"],
      ["gc_blacklist", "gcBlacklistNode"],
      ["gc_whitelist", "gcWhitelistNode"],
    ]) {
      assert.equal((await post(`/disco/ctrl/${path}`, '"node-1"')).text, '""');
      assert.deepEqual(at.master.calls.at(-1), [call, "node-1"]);
    }
    assert.deepEqual((await at.ask("/disco/ctrl/get_gc_blacklist")).json(), ["old"]);
  });

  test("a pack is a job, with a length or in chunks, at any path below /disco/job", async () => {
    for (const path of ["/disco/job/new", "/disco/job/anything"]) {
      assert.deepEqual((await post(path, "the pack")).json(), ["ok", "job@1"]);
      assert.equal(at.master.packs.pop()?.toString(), "the pack");
    }
    const chunked = await at.raw(
      "POST /disco/job/new HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nthe\r\n5\r\n pack\r\n0\r\n\r\n",
    );
    assert.match(chunked, /^HTTP\/1\.1 200 [^]*\["ok","job@1"\]$/);
    assert.equal(at.master.packs.pop()?.toString(), "the pack");
    assert.deepEqual(await incoming(), []);
  });

  test("a pack that is refused is 200 with the reason, as Disco's client expects it", async () => {
    const { status, json } = await post("/disco/job/new", "");
    assert.deepEqual([status, json()], [200, ["error", "Job failed to start: invalid header"]]);
  });

  test("a master that has no room for a job says so by 503, which Disco's client tries again after", async () => {
    const { status, headers } = await post("/disco/job/new", "busy");
    assert.deepEqual([status, headers.get("retry-after")], [503, "5"]);
  });

  test("a pack above the limit is 413 before it is read, or as soon as it is too long, and leaves no file", async () => {
    const before = at.master.packs.length;
    // Nothing of the announced body is sent: the answer does not wait for it.
    const announced = await at.raw(
      "POST /disco/job/new HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100001\r\nExpect: 100-continue\r\n\r\n",
    );
    assert.equal(statusOf(announced), 413);
    const chunk = `8000\r\n${"x".repeat(0x8000)}\r\n`;
    const endless = await at.raw(
      `POST /disco/job/new HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(6)}`,
    );
    assert.equal(statusOf(endless), 413);
    assert.deepEqual([at.master.packs.length, await incoming()], [before, []]);
  });

  test("a pack whose sender hangs up leaves no file and no job", async () => {
    const before = at.master.packs.length;
    const socket = await openSocket(at);
    socket.write("POST /disco/job/new HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf");
    while ((await incoming()).length === 0);
    socket.destroy();
    while ((await incoming()).length > 0);
    assert.deepEqual([at.master.packs.length, await incoming()], [before, []]);
  });

  test("no jobs are taken, nor packs read, while the setting says so", async () => {
    await post("/disco/ctrl/save_settings", '{"accept_new_jobs":"0"}');
    const { status, json } = await post("/disco/job/new", "the pack");
    await post("/disco/ctrl/save_settings", '{"accept_new_jobs":"1"}');
    assert.deepEqual([status, json()], [403, "No new jobs should be submitted to this cluster."]);
  });

  test("the list of jobs is made once for each version", async () => {
    const first = await at.ask("/disco/ctrl/joblist");
    assert.deepEqual(first.json(), [[12, "ready", "job@1"]]);
    at.master.list = [{ name: "job@2", status: "active", submittedAt: 13_000 }, ...at.master.list];
    assert.equal((await at.ask("/disco/ctrl/joblist")).text, first.text);
    at.master.jobListVersion++;
    assert.deepEqual((await at.ask("/disco/ctrl/joblist")).json(), [
      [13, "active", "job@2"],
      [12, "ready", "job@1"],
    ]);
  });

  test("raw events are read on from where a client was, and nothing new is nothing", async () => {
    const whole = await at.ask("/disco/ctrl/rawevents?name=job@1");
    assert.equal(whole.status, 200);
    assert.match(whole.headers.get("content-type") ?? "", /^text\/plain/);
    const lines = whole.text.split("\n").slice(0, -1);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      jobEvents.map(wireEvent),
    );
    const bytes = Buffer.from(whole.text);
    const from = Buffer.byteLength(lines[0] ?? "") + 1;
    const rest = await at.ask("/disco/ctrl/rawevents?name=job@1", { headers: { range: `bytes=${from}-` } });
    assert.deepEqual([rest.status, rest.text], [206, bytes.subarray(from).toString()]);
    assert.equal(rest.headers.get("content-range"), `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
    const none = await at.ask("/disco/ctrl/rawevents?name=job@1", { headers: { range: `bytes=${bytes.length}-` } });
    assert.deepEqual([none.status, none.text], [200, ""]);
  });

  test("a job that has said nothing yet has an empty log", async () => {
    const fresh = await openServer();
    fresh.master.eventsFile = async () => join(fresh.master.folder, "not-yet");
    assert.equal((await fresh.ask("/disco/ctrl/rawevents?name=job@1")).text, "");
    assert.deepEqual((await fresh.ask("/disco/ctrl/jobevents?name=job@1")).json(), []);
    await fresh.close();
  });

  test("job events come from the end of the log, the newest first", async () => {
    const messages = async (query: string): Promise<unknown[]> =>
      ((await at.ask(`/disco/ctrl/jobevents?name=job@1${query}`)).json() as string[][]).map((event) => event[2]);
    assert.deepEqual(await messages("&num=2"), ["MSG: [map:0] x", "ö".repeat(20)]);
    assert.deepEqual(await messages("&filter=INIT"), ["New job initialized!"]);
    assert.deepEqual(await messages("&num=0"), []);
  });

  test("the pack of a job is streamed, also from an offset on", async () => {
    assert.equal((await at.ask("/disco/ctrl/parameters?name=job@1")).text, "0123456789");
    const rest = await at.ask("/disco/ctrl/parameters?name=job@1", { headers: { range: "bytes=7-" } });
    assert.deepEqual([rest.status, rest.text], [206, "789"]);
    const none = await at.ask("/disco/ctrl/parameters?name=job@1", { headers: { range: "bytes=10-" } });
    assert.deepEqual([none.status, none.text], [200, ""]);
  });

  test("who waits for results and hangs up is not waited for", async () => {
    const { calls } = at.master;
    const body = '[60000,["slow"]]';
    const controller = new AbortController();
    const asked = post("/disco/ctrl/get_results", body).catch(() => undefined);
    const gone = fetch(`${at.url}/disco/ctrl/get_results`, { method: "POST", body, signal: controller.signal });
    while (calls.filter(([name]) => name === "results").length < 2) await new Promise(setImmediate);
    controller.abort();
    await assert.rejects(gone);
    const over = () => calls.filter(([name]) => name === "results over");
    while (over().length === 0) await new Promise(setImmediate);
    assert.deepEqual(over(), [["results over", true]]);
    // The other one still waits, and is answered when the server closes.
    const other = await openServer();
    const waiting = other.ask("/disco/ctrl/get_results", { method: "POST", body });
    while (other.master.calls.length === 0) await new Promise(setImmediate);
    await other.close();
    assert.deepEqual((await waiting).json(), [["slow", ["active", []]]]);
    void asked;
  });

  test("a path below /proxy is the path itself", async () => {
    assert.equal((await at.ask("/proxy/h/GET/disco/version")).text, '"0.5.4"');
    assert.equal((await at.ask("/proxy/h/GET/disco/ctrl/joblist")).status, 200);
  });
});

describe("a wrong request is answered by 4xx with the reason, and changes nothing", () => {
  const wrong: [title: string, method: string, path: string, body: string | undefined, status: number][] = [
    ["an unknown path", "GET", "/disco/ctrl/nothing", undefined, 404],
    ["an unknown action", "POST", "/disco/ctrl/nothing", '"job@1"', 404],
    ["a path above the root", "GET", "/disco/%2e%2e%2f%2e%2e/etc/passwd", undefined, 400],
    ["a directory that is none", "GET", "/nothing/", undefined, 404],
    ["HEAD of an action", "HEAD", "/disco/ctrl/joblist", undefined, 405],
    ["a list that is posted", "POST", "/disco/ctrl/joblist", "[]", 405],
    ["a version that is put", "PUT", "/disco/version", "x", 405],
    ["events that are deleted", "DELETE", "/disco/ctrl/rawevents?name=job@1", undefined, 405],
    ["a pack that is got", "GET", "/disco/job/new", undefined, 405],
    ["a job that is put", "PUT", "/disco/job/new", "x", 405],
    ["a kill by GET", "GET", "/disco/ctrl/kill_job", undefined, 405],
    ["GET with a body", "POST", "/disco/ctrl/nodeinfo", "x", 405],
    ["an unknown job", "GET", "/disco/ctrl/jobinfo?name=other", undefined, 404],
    ["events of an unknown job", "GET", "/disco/ctrl/rawevents?name=other", undefined, 404],
    ["newest events of an unknown job", "GET", "/disco/ctrl/jobevents?name=other", undefined, 404],
    ["the pack of an unknown job", "GET", "/disco/ctrl/parameters?name=other", undefined, 404],
    ["results of an unknown stage", "GET", "/disco/ctrl/get_stageresults?name=job@1&stage=x", undefined, 404],
    ["a missing name", "GET", "/disco/ctrl/jobinfo", undefined, 400],
    ["a missing stage", "GET", "/disco/ctrl/get_stageresults?name=job@1", undefined, 400],
    ["a name that leads upwards", "GET", "/disco/ctrl/jobinfo?name=../../x", undefined, 400],
    ["a name with an escape sequence", "GET", "/disco/ctrl/jobinfo?name=%1b[31m", undefined, 400],
    ["a name of 10,000 characters", "POST", "/disco/ctrl/kill_job", JSON.stringify("a".repeat(10_000)), 400],
    ["a name with NUL", "POST", "/disco/ctrl/purge_job", '"a\\u0000b"', 400],
    ["a name that is markup", "POST", "/disco/ctrl/clean_job", '"<img onerror>"', 400],
    ["malformed JSON", "POST", "/disco/ctrl/kill_job", "{", 400],
    ["no body", "POST", "/disco/ctrl/kill_job", undefined, 400],
    ["a number for a name", "POST", "/disco/ctrl/kill_job", "5", 400],
    ["a list for a name", "POST", "/disco/ctrl/blacklist", '["h"]', 400],
    ["a node with a slash", "POST", "/disco/ctrl/blacklist", '"a/b"', 400],
    ["an empty node", "POST", "/disco/ctrl/gc_blacklist", '""', 400],
    ["a fractional time-out", "POST", "/disco/ctrl/get_results", '[0.5,["a"]]', 400],
    ["a negative time-out", "POST", "/disco/ctrl/get_results", '[-1,["a"]]', 400],
    ["results of no list", "POST", "/disco/ctrl/get_results", '[5,"a"]', 400],
    ["results of names that are none", "POST", "/disco/ctrl/get_results", "[5,[5]]", 400],
    ["a number that is none", "GET", "/disco/ctrl/jobevents?name=job@1&num=-1", undefined, 400],
    ["an unknown setting", "POST", "/disco/ctrl/save_settings", '{"max_failure_rate":"5","other":"1"}', 400],
    ["a setting out of range", "POST", "/disco/ctrl/save_settings", '{"accept_new_jobs":"2"}', 400],
    ["a setting of the wrong type", "POST", "/disco/ctrl/save_settings", '{"max_failure_rate":null}', 400],
    ["a list of settings", "POST", "/disco/ctrl/save_settings", "[]", 400],
    ["a table of numbers", "POST", "/disco/ctrl/save_config_table", '[["a",1]]', 400],
    ["a table that is an object", "POST", "/disco/ctrl/save_config_table", "{}", 400],
    ["a row of three", "POST", "/disco/ctrl/save_config_table", '[["a","1","2"]]', 400],
    ["JSON that is too deep", "POST", "/disco/ctrl/kill_job", "[".repeat(100_000), 400],
    ["JSON that is too large", "POST", "/disco/ctrl/kill_job", " ".repeat(5_000_000), 413],
  ];
  for (const [title, method, path, body, status] of wrong) {
    test(`${title}: ${status}`, async () => {
      const before = at.master.calls.length;
      const answer = await at.ask(path, { method, ...(body === undefined ? {} : { body }) });
      assert.equal(answer.status, status, answer.text);
      assert.equal(at.master.calls.length, before);
      if (status === 405) assert.ok(answer.headers.get("allow"));
      if (method === "HEAD") return;
      const reason = status === 404 ? answer.text : answer.json();
      assert.ok(typeof reason === "string" && reason.length > 5 && reason.length < 400, answer.text);
      if (status === 404) assert.equal(answer.text, "Not found.");
    });
  }

  test("a pack without any length: 411", async () => {
    const answer = await at.raw("POST /disco/job/new HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.equal(statusOf(answer), 411);
  });

  test("a fault of ours is 500 without its reason, and in the log with it", async () => {
    at.master.configTable = () => Promise.reject(new Error("at /some/secret/path"));
    const { status, text } = await at.ask("/disco/ctrl/load_config_table");
    assert.deepEqual([status, text], [500, '"Internal server error"']);
    await writeFile(join(at.master.folder, "events"), "no JSON\n");
    await assert.rejects(at.ask("/disco/ctrl/rawevents?name=job@1"));
    const broke = (): string | undefined => at.lines.find((line) => line.includes("an answer broke off"));
    while (broke() === undefined) await new Promise(setImmediate);
    assert.match(broke() ?? "", /not valid JSON/);
  });
});
