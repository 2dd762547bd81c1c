import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { pagePaths } from "./pages.ts";
import { openServer, statusOf, type TestServer } from "./server.test-kit.ts";

describe("the web page's files", () => {
  let server: TestServer;
  before(async () => {
    // Whoever has no token gets the page, which then asks for one.
    server = await openServer({ settings: { tokens: { admin: "a-secret-token" } } });
  });
  after(() => server.close());

  it("need no token, unlike all data, and tell nothing of this daemon", async () => {
    for (const path of pagePaths) {
      const page = await server.ask(path);
      assert.equal(page.status, 200, path);
      assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
      assert.doesNotMatch(page.text, /instance-1|a-secret-token/);
    }
    assert.equal((await server.ask("/api/v1/master")).status, 401);
  });

  it("allow scripts and styles of this server only, and no frame around them", async () => {
    const { headers } = await server.ask("/");
    assert.equal(
      headers.get("content-security-policy"),
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
  });

  it("have nothing inline, and name nothing outside of this server", async () => {
    for (const path of pagePaths) {
      const { text } = await server.ask(path);
      assert.doesNotMatch(text, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|https?:|"\/\//, path);
    }
    assert.doesNotMatch((await server.ask("/web/page.css")).text, /url\(|@import/);
  });

  it("are complete: whatever pages and scripts name is there, as JavaScript without types", async () => {
    const wanted = [...pagePaths];
    const seen = new Set<string>();
    for (let path = wanted.pop(); path !== undefined; path = wanted.pop()) {
      if (seen.has(path)) continue;
      seen.add(path);
      const { status, text, headers } = await server.ask(path);
      assert.equal(status, 200, path);
      if (path.endsWith(".js")) {
        assert.equal(headers.get("content-type"), "text/javascript; charset=utf-8");
        assert.doesNotMatch(text, /import type|interface |\.ts"/, path);
        for (const [, name = ""] of text.matchAll(/\bfrom\s*"([^"]*)"/g)) {
          assert.match(name, /^\.\/[a-z0-9-]+\.js$/, `${path} imports ${name}`);
          wanted.push(`/web/${name.slice(2)}`);
        }
      }
      for (const [, name = ""] of text.matchAll(/(?:src|href)="(\/(?:web\/)?[\w.-]*)"/g)) wanted.push(name);
    }
    for (const path of ["/web/job-page.js", "/web/page.css", "/web/icon.svg"]) assert.ok(seen.has(path), path);
  });

  it("are not sent again to a browser that has them", async () => {
    const first = await server.ask("/web/page.css");
    const tag = first.headers.get("etag") ?? "";
    assert.match(tag, /^"[\w-]{22}"$/);
    assert.equal(first.headers.get("cache-control"), "no-cache");
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
      const again = await server.ask("/web/page.css", { headers: { "if-none-match": known } });
      assert.deepEqual([again.status, again.text], [304, ""], known);
      assert.equal(again.headers.get("etag"), tag);
    }
    const other = await server.ask("/web/page.css", { headers: { "if-none-match": '"other"' } });
    assert.equal(other.status, 200);
  });

  it("are a list: nothing else of the disk is reached, whatever the path", async () => {
    const tries = [
      "/web/",
      "/web/tsconfig.json",
      "/web/job-page.ts",
      "/web/index.html",
      "/web/page.css/",
      "/web/constructor",
      "/web/__proto__",
      "/web/../master/daemon.ts",
      "/web/%2e%2e/master/daemon.ts",
      "/web/..%2fmaster%2fdaemon.ts",
      "/web/..%5cmaster",
      "/web//page.css",
      "/web/%70age.css%00",
      "/job.html/",
      "/JOB.HTML",
    ];
    for (const path of tries) {
      const answer = await server.raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      assert.ok([400, 401, 404].includes(statusOf(answer)), `${path}: ${answer.slice(0, 80)}`);
      assert.doesNotMatch(answer, /openDaemon|compilerOptions|KeyedList/);
    }
  });

  it("are for GET and HEAD", async () => {
    const head = await server.ask("/", { method: "HEAD" });
    assert.deepEqual([head.status, head.text], [200, ""]);
    assert.ok(Number(head.headers.get("content-length")) > 500);
    for (const method of ["POST", "PUT", "DELETE"]) {
      const refused = await server.ask("/job.html", { method });
      assert.equal(refused.status, 405);
      assert.equal(refused.headers.get("allow"), "GET, HEAD");
    }
  });

  it("pass the checks of Host and Origin like everything else", async () => {
    const answer = await server.raw("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert.equal(statusOf(answer), 403);
    const headers = { origin: "http://evil.example" };
    assert.equal((await server.ask("/web/api.js", { headers })).status, 403);
    const embedded = await server.ask("/web/api.js", {
      headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
    });
    assert.equal(embedded.status, 403);
  });

  it("are two labels of metrics and no more, however many paths are tried", async () => {
    await server.ask("/web/api.js");
    await server.ask("/web/there-is-none.js");
    const { text } = await server.ask("/metrics", { headers: { authorization: "Bearer a-secret-token" } });
    assert.match(text, /route="\/web\/:file"/);
    assert.doesNotMatch(text, /there-is-none|api\.js/);
  });
});
