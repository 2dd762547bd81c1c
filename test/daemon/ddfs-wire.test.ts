/** DDFS over HTTP, asked of a daemon as a process of its own, in the words of Disco's client: paths, shapes, status codes. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { after, before, describe, it } from "node:test";
import { startDaemon, type TestDaemon } from "./daemon.test-kit.ts";
import { type Answer, type Asked, ask, shown } from "./plain-http.test-kit.ts";

describe("Disco's interface of DDFS", () => {
  let daemon: TestDaemon;
  const get = (path: string, asked: Asked = {}): Promise<Answer> => ask(daemon.url, path, asked);
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    get(path, { method: "POST", body: JSON.stringify(body), headers });
  const put = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    get(path, { method: "PUT", body: JSON.stringify(body), headers });
  const urlsOf = async (tag: string): Promise<unknown> =>
    ((await get(`/ddfs/tag/${tag}`)).json() as { urls: unknown }).urls;

  before(async () => {
    daemon = await startDaemon();
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  async function push(name: string, bytes: string): Promise<{ url: string; path: string }> {
    const [target = ""] = (await get(`/ddfs/new_blob/${name}`)).json() as string[];
    const answer = await get(new URL(target).pathname, { method: "PUT", body: bytes });
    assert.equal(answer.status, 201, answer.text);
    const url = answer.json() as string;
    return { url, path: url.replace(/^disco:\/\/[^/]+/, "") };
  }

  it("gives places for blobs, takes them, and gives them back in ranges", async () => {
    const places = (await get("/ddfs/new_blob/chunk:0")).json() as string[];
    assert.equal(places.length, 1);
    assert.match(places[0] ?? "", /^http:\/\/127\.0\.0\.1:\d+\/ddfs\/chunk:0\$[0-9a-f]+-[0-9a-f]+-[0-9a-f]+$/);
    // The client's own name of the daemon: from elsewhere 127.0.0.1 is another machine.
    const { port } = new URL(daemon.url);
    const [named = ""] = (await get("/ddfs/new_blob/x", { headers: { host: `localhost:${port}` } })).json() as string[];
    assert.ok(named.startsWith(`http://localhost:${port}/ddfs/x$`), named);
    const { url, path } = await push("chunk:0", "0123456789");
    assert.match(url, /^disco:\/\/localhost\/ddfs\/vol0\/blob\/[0-9a-f]{2}\/chunk:0\$/);
    const object = url.split("/").at(-1) ?? "";
    assert.equal(url.split("/").at(-2), createHash("md5").update(object).digest("hex").slice(0, 2));
    const whole = await get(path);
    assert.deepEqual([whole.status, whole.text], [200, "0123456789"]);
    assert.equal(whole.headers["content-type"], "application/octet-stream");
    const part = await get(path, { headers: { range: "bytes=3-5" } });
    assert.deepEqual([part.status, part.text, part.headers["content-range"]], [206, "345", "bytes 3-5/10"]);
    // Disco's client asks for ten megabytes at a time, whatever there is.
    assert.equal((await get(path, { headers: { range: "bytes=0-10485759" } })).text, "0123456789");
    const head = await get(path, { method: "HEAD" });
    assert.deepEqual([head.status, head.headers["content-length"], head.text], [200, "10", ""]);
    assert.equal((await get(`/proxy/localhost/GET${path}`)).text, "0123456789");
    assert.equal((await get(`/proxy/localhost/HEAD${path}`, { method: "HEAD" })).status, 200);
    const [place = ""] = (await get("/ddfs/new_blob/x")).json() as string[];
    const proxied = `/proxy/localhost/PUT${new URL(place).pathname}`;
    assert.equal((await get(proxied, { method: "PUT", body: "p" })).status, 201);
    assert.equal((await get(new URL(place).pathname, { method: "PUT", body: "q" })).status, 500);
    assert.equal((await get("/ddfs/..%24703-1-1", { method: "PUT", body: "q" })).status, 403);
    assert.equal((await get("/ddfs/plain", { method: "PUT", body: "q" })).status, 404);
  });

  it("says in Disco's status codes where no blob can be placed", async () => {
    const rows = [
      ["x?replicas=2", 403, /Not enough nodes for replicas\./],
      ["x?replicas=0", 403, /./],
      ["x?replicas=1e9", 403, /./],
      ["x?replicas=abc", 403, /./],
      ["x?include=nobody", 500, /unknown host/],
      ["x?exclude=nobody", 500, /unknown host/],
      ["x?exclude=localhost", 403, /Not enough nodes/],
      ["x?include=localhost", 200, /^\["http/],
      ["x?replicas=1&include=&exclude=", 200, /^\["http/],
      ["a.b", 403, /Invalid tag/],
      [`${"n".repeat(512)}`, 403, /Invalid tag/],
      [`${"n".repeat(511)}`, 200, /\/ddfs\/[0-9a-f]{32}\$/],
    ] as const;
    for (const [query, status, words] of rows) {
      const answer = await get(`/ddfs/new_blob/${query}`);
      assert.equal(answer.status, status, `${query}: ${answer.text}`);
      assert.match(answer.text, words, query);
    }
  });

  it("makes, tells, changes and deletes tags", async () => {
    const made = await post("/ddfs/tag/data:big", [["disco://a/x", "disco://b/x"]]);
    assert.equal(made.status, 200);
    const [address = ""] = made.json() as string[];
    assert.match(address, /^disco:\/\/localhost\/ddfs\/vol0\/tag\/[0-9a-f]{2}\/data:big\$[0-9a-f-]+$/);
    await post("/ddfs/tag/data:big", [["tag://other"]]);
    const tag = (await get("/ddfs/tag/data:big")).json() as Record<string, unknown>;
    assert.deepEqual(Object.keys(tag), ["version", "id", "last-modified", "urls", "user-data"]);
    assert.equal(tag["version"], 1);
    assert.match(String(tag["id"]), /^data:big\$/);
    assert.match(String(tag["last-modified"]), /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d$/);
    // What is new comes first.
    assert.deepEqual(tag["urls"], [["tag://other"], ["disco://a/x", "disco://b/x"]]);
    assert.deepEqual(tag["user-data"], {});
    // A client that asks for a part gets all of it, as from Disco.
    const ranged = await get("/ddfs/tag/data:big", { headers: { range: "bytes=0-0" } });
    assert.deepEqual([ranged.status, ranged.json()], [200, tag]);
    await put("/ddfs/tag/data:big", [["raw://one"]]);
    assert.deepEqual(await urlsOf("data:big"), [["raw://one"]]);
    await put("/ddfs/tag/data:big/ddfs:urls", [["raw://two"], ["raw://one"]]);
    assert.deepEqual((await get("/ddfs/tag/data:big/ddfs:urls")).json(), [["raw://two"], ["raw://one"]]);
    await post("/ddfs/tag/data:small", []);
    assert.deepEqual((await get("/ddfs/tags/data")).json(), ["data:big", "data:small"]);
    assert.deepEqual((await get("/ddfs/tags/data:b")).json(), ["data:big"]);
    assert.ok(((await get("/ddfs/tags")).json() as string[]).includes("data:big"));
    assert.ok(((await get("/ddfs/tags/")).json() as string[]).includes("data:big"));
    const gone = await get("/ddfs/tag/data:big", { method: "DELETE" });
    assert.deepEqual([gone.status, gone.json()], [200, "deleted"]);
    assert.equal((await get("/ddfs/tag/data:big", { method: "DELETE" })).status, 200);
    const missing = await get("/ddfs/tag/data:big");
    assert.equal(missing.status, 404);
    assert.match(missing.text, /^Tag not found\./);
  });

  it("leaves out blobs whose name is there, with update; flags count when they have a value", async () => {
    const blob = (name: string, n: number): string[] => [`disco://a/ddfs/vol0/blob/00/${name}$1-1-${n}`];
    await post("/ddfs/tag/up", [blob("x", 1)]);
    await post("/ddfs/tag/up?update=1", [blob("x", 2), blob("y", 1)]);
    assert.deepEqual(await urlsOf("up"), [blob("y", 1), blob("x", 1)]);
    await post("/ddfs/tag/up?update=", [blob("x", 3)]);
    assert.deepEqual(await urlsOf("up"), [blob("x", 3), blob("y", 1), blob("x", 1)]);
  });

  it("keeps attributes, within Disco's limits", async () => {
    assert.equal((await put("/ddfs/tag/attrs/note", "hällo")).status, 200);
    assert.equal((await get("/ddfs/tag/attrs/note")).json(), "hällo");
    assert.deepEqual(((await get("/ddfs/tag/attrs")).json() as { "user-data": unknown })["user-data"], {
      note: "hällo",
    });
    const rows: [string, string, unknown, number][] = [
      ["PUT", "ddfs:nothing", "x", 404],
      ["GET", "ddfs:nothing", undefined, 404],
      ["DELETE", "ddfs:nothing", undefined, 404],
      ["GET", "other", undefined, 404],
      ["PUT", "n".repeat(1_024), "x", 200],
      ["PUT", "n".repeat(1_025), "x", 403],
      ["PUT", "big", "v".repeat(4_094), 200],
      ["PUT", "big", "v".repeat(4_095), 403],
      ["DELETE", "note", undefined, 200],
      ["DELETE", "note", undefined, 200],
    ];
    for (const [method, name, value, status] of rows) {
      const body = value === undefined ? {} : { body: JSON.stringify(value) };
      const answer = await get(`/ddfs/tag/attrs/${name}`, { method, ...body });
      assert.equal(answer.status, status, `${method} ${name.slice(0, 20)}: ${answer.text}`);
    }
    assert.equal((await get("/ddfs/tag/attrs/x", { method: "PUT", body: "{" })).status, 403);
  });

  it("has tags protected by tokens, as Disco's clients show them", async () => {
    const oob = "disco:job:oob:words@549:1";
    // Who makes a tag and shows a token has it protected by that one.
    assert.equal((await post(`/ddfs/tag/${oob}`, [["raw://a"]], shown("job"))).status, 200);
    for (const headers of [{}, shown("other"), { authorization: "Basic nonsense" }]) {
      for (const method of ["GET", "POST", "PUT", "DELETE"]) {
        const body = method === "GET" || method === "DELETE" ? {} : { body: "[]" };
        const answer = await get(`/ddfs/tag/${oob}`, { method, headers, ...body });
        assert.deepEqual([answer.status, /Incorrect or missing token\./.test(answer.text)], [401, true], method);
      }
    }
    assert.equal((await get(`/ddfs/tag/${oob}`, { headers: shown("job") })).status, 200);
    // Nobody is told of tokens who does not ask for them, and may.
    assert.doesNotMatch((await get(`/ddfs/tag/${oob}`, { headers: shown("job") })).text, /token/);
    assert.equal((await put(`/ddfs/tag/${oob}/ddfs:read-token`, "reader", shown("job"))).status, 200);
    assert.equal((await get(`/ddfs/tag/${oob}`, { headers: shown("reader") })).status, 200);
    assert.equal((await get(`/ddfs/tag/${oob}/ddfs:write-token`, { headers: shown("reader") })).status, 401);
    assert.equal((await get(`/ddfs/tag/${oob}/ddfs:write-token`, { headers: shown("job") })).json(), "job");
    assert.equal((await post(`/ddfs/tag/${oob}`, [], shown("reader"))).status, 401);
    // A token that nobody asked for is accepted.
    await post("/ddfs/tag/open", []);
    assert.equal((await get("/ddfs/tag/open", { headers: shown("any") })).status, 200);
    assert.equal((await post("/ddfs/tag/open", [["raw://x"]], shown("any"))).status, 200);
    assert.equal((await get("/ddfs/tag/open")).status, 200);
    assert.equal(
      (await get(`/ddfs/tag/${oob}/ddfs:read-token`, { method: "DELETE", headers: shown("job") })).status,
      200,
    );
    assert.equal((await get(`/ddfs/tag/${oob}`, { method: "DELETE", headers: shown("job") })).status, 200);
  });

  it("refuses what is wrong, with the reason, and changes nothing", async () => {
    await post("/ddfs/tag/kept", [["raw://kept"]]);
    const before = (await get("/ddfs/tag/kept")).text;
    const names = [
      "a.b",
      "a b",
      "ä",
      "a$b",
      "a%2500",
      "a%0a",
      "..",
      "%2e%2e",
      "..%2f..%2fetc",
      "a%2fb",
      "a%5cb",
      "x".repeat(512),
    ];
    for (const name of names) {
      const path = `/ddfs/tag/${name.replaceAll(" ", "%20").replaceAll("ä", "%C3%A4")}`;
      for (const [method, body] of [["GET"], ["POST", "[]"], ["PUT", "[]"], ["DELETE"]] as const) {
        const answer = await get(path, { method, ...(body === undefined ? {} : { body }) });
        assert.ok(answer.status === 403 || answer.status === 400, `${method} ${name}: ${answer.status}`);
      }
    }
    const bodies = [
      "",
      "x",
      "[",
      "{}",
      '"raw://a"',
      '[["raw://a"],]',
      "[[]]",
      "[[1]]",
      '[["raw://a\\tb"]]',
      '[["raw://a\\nb"]]',
      '[["raw://a b"]]',
      '[["disco://h/ddfs/vol0/blob/../../etc/passwd"]]',
      '[["disco://h/ddfs/vol0/blob/00/x$1-1-1/.."]]',
      '[["disco://h/ddfs/other"]]',
      '[["tag://../x"]]',
      '[["tag://a.b"]]',
      '[["tag://"]]',
      JSON.stringify([["x".repeat(4_097)]]),
      JSON.stringify([Array.from({ length: 65 }, (_, i) => `raw://${i}`)]),
    ];
    for (const body of bodies) {
      for (const method of ["POST", "PUT"]) {
        const answer = await get("/ddfs/tag/kept", { method, body });
        assert.equal(answer.status, 403, `${method} ${body.slice(0, 60)}: ${answer.text}`);
      }
    }
    assert.equal((await get("/ddfs/tag/kept")).text, before);
    // Addresses elsewhere are addresses: what they lead to is the business of who reads them.
    await put("/ddfs/tag/kept", [["http://example.com/a", "s3://b/k"], ["tag://kept"]]);
    assert.deepEqual(await urlsOf("kept"), [["http://example.com/a", "s3://b/k"], ["tag://kept"]]);
    const paths = [
      "/ddfs/vol0/blob/../../x",
      "/ddfs/vol0/blob/00/..",
      "/ddfs/vol0/blob/00/%2e%2e%2fx",
      "/ddfs/vol0/tag/00/x",
    ];
    for (const path of [...paths, "/ddfs/volX/blob/00/x$1-1-1", "/ddfs/vol0/blob/00/x$1-1-1"]) {
      const { status } = await get(path);
      assert.ok(status === 400 || status === 404, `${path}: ${status}`);
    }
    assert.equal((await get("/ddfs/nothing")).status, 404);
    assert.equal((await get("/ddfs/ctrl/nothing")).status, 404);
    assert.equal((await get("/ddfs/tag/kept", { method: "PATCH", body: "x" })).status, 405);
  });

  it("takes a body that breaks off, or is too large, for none", async () => {
    await post("/ddfs/tag/whole", [["raw://a"]]);
    const { hostname, port } = new URL(daemon.url);
    const socket = net.connect(Number(port), hostname);
    socket.write('POST /ddfs/tag/whole HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n[["raw://b"]');
    await once(socket, "connect");
    socket.destroySoon();
    await once(socket, "close");
    const large = net.connect(Number(port), hostname);
    large.write(`POST /ddfs/tag/whole HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${2 ** 30}\r\n\r\n[`);
    const [said] = (await once(large, "data")) as [Buffer];
    assert.match(said.toString(), /^HTTP\/1\.1 403 /);
    large.destroy();
    assert.deepEqual(await urlsOf("whole"), [["raw://a"]]);
  });

  it("loses nothing of two clients that change one tag a thousand times each, delayed or not", async () => {
    await post("/ddfs/tag/busy", []);
    const client = async (name: string, query: string): Promise<void> => {
      for (let from = 0; from < 1_000; from += 50) {
        const some = Array.from({ length: 50 }, (_, i) =>
          post(`/ddfs/tag/busy${query}`, [[`raw://${name}-${from + i}`]]),
        );
        for (const { status } of await Promise.all(some)) assert.equal(status, 200);
      }
    };
    let isOver = false;
    // Garbage collection runs beside it, once and again.
    const collecting = (async () => {
      while (!isOver) {
        assert.equal((await get("/ddfs/ctrl/gc_start")).json(), "GC has started");
        assert.match((await get("/ddfs/ctrl/gc_status")).text, /^"(?:GC is .*)?"$/);
      }
    })();
    await Promise.all([client("a", ""), client("b", "")]);
    isOver = true;
    await collecting;
    const delayed = Array.from({ length: 200 }, (_, i) => post("/ddfs/tag/busy?delayed=1", [[`raw://d-${i}`]]));
    for (const { status } of await Promise.all(delayed)) assert.equal(status, 200);
    const urls = (await urlsOf("busy")) as string[][];
    assert.equal(urls.length, 2_200);
    assert.equal(new Set(urls.map(([url]) => url)).size, 2_200);
    // A tag that is not there yet is made at once.
    const begun = performance.now();
    assert.equal((await post("/ddfs/tag/new?delayed=1", [["raw://x"]])).status, 200);
    assert.ok(performance.now() - begun < 900);
  });

  it("tells which tags are on a host, and keeps all of it over a restart", async () => {
    const { url, path } = await push("hosted", "bytes");
    await post("/ddfs/tag/hosted", [[url]]);
    assert.ok(((await post("/ddfs/ctrl/hosted_tags", "localhost")).json() as string[]).includes("hosted"));
    assert.equal((await post("/ddfs/ctrl/hosted_tags", "nobody")).status, 404);
    assert.equal((await get("/ddfs/ctrl/hosted_tags", { method: "POST", body: "{" })).status, 403);
    const tag = (await get("/ddfs/tag/hosted")).text;
    await daemon.restart();
    assert.equal((await get("/ddfs/tag/hosted")).text, tag);
    assert.equal((await get(path)).text, "bytes");
  });

  it("serves the library's client below /api/v1 with errors that have codes, and repeats no request that has a key", async () => {
    const link = (key: string, url: string): Promise<Answer> =>
      post("/api/v1/ddfs/tag/api", [[url]], { "idempotency-key": key });
    await link("k1", "raw://a");
    await link("k1", "raw://a");
    assert.deepEqual(await urlsOf("api"), [["raw://a"]]);
    const tag = await get("/api/v1/ddfs/tag/api");
    assert.equal(tag.headers.etag, `"${(tag.json() as { id: string }).id}"`);
    const stale = await put("/api/v1/ddfs/tag/api", [], { "if-match": '"api$1-1-1"' });
    assert.equal(stale.status, 412);
    assert.equal((stale.json() as { error: { code: string } }).error.code, "tag-changed");
    assert.equal((await put("/api/v1/ddfs/tag/api", [], { "if-match": tag.headers.etag ?? "" })).status, 200);
    const rows = [
      ["/api/v1/ddfs/tag/none", 404, "unknown-tag"],
      ["/api/v1/ddfs/tag/api/none", 404, "unknown-attribute"],
      ["/api/v1/ddfs/tag/a.b", 400, "bad-name"],
      ["/api/v1/ddfs/new_blob/x?replicas=9", 400, "not-enough-nodes"],
      ["/api/v1/ddfs/new_blob/x?include=nobody", 404, "unknown-node"],
      ["/api/v1/ddfs/hosted-tags?host=nobody", 404, "unknown-node"],
      ["/api/v1/ddfs/nothing", 404, "not-found"],
    ] as const;
    for (const [path, status, code] of rows) {
      const answer = await get(path);
      assert.equal(answer.status, status, path);
      assert.equal((answer.json() as { error: { code: string } }).error.code, code);
    }
    const [space] = (await get("/api/v1/ddfs/space")).json() as { host: string; volumes: { volume: string }[] }[];
    assert.deepEqual([space?.host, space?.volumes[0]?.volume], ["localhost", "vol0"]);
    const [target] = (await get("/api/v1/ddfs/new_blob/x")).json() as { host: string; object: string; url: string }[];
    assert.equal(target?.host, "localhost");
    assert.equal(target?.url, `${daemon.url}/ddfs/${target?.object}`);
  });
});
