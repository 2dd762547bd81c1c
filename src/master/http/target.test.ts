import assert from "node:assert/strict";
import { join, normalize } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { requiredScope } from "./required-scope.ts";
import { routePattern } from "./route-pattern.ts";
import { isRefusal, parseTarget, type Target, unwrapped } from "./target.ts";

function parsed(url: string): Target {
  const target = parseTarget(url);
  assert.ok(!isRefusal(target), url);
  return target;
}

test("a path is decoded once", () => {
  assert.deepEqual(parsed("/disco/a%40b%3A1/x?name=a%26b&name=c").segments, ["disco", "a@b:1", "x"]);
  assert.deepEqual(parsed("/a%252e").segments, ["a%2e"]);
  assert.equal(parsed("/x?name=a%26b").query.get("name"), "a&b");
});

test("87: what leads out of its directory, or hides something, is refused", () => {
  for (const url of [
    "",
    "*",
    "x",
    "http://other/x",
    "/..",
    "/a/../b",
    "/a/%2e%2e/b",
    "/a/%2E./b",
    "/a%2fb",
    "/a%5cb",
    "/a\\b",
    "/./a",
    "//a",
    "/a//b",
    "/a%00b",
    "/a%0ab",
    "/a%1b[31m",
    "/a%7f",
    "/a%",
    "/a%zz",
    "/a%ff",
    "/a#b",
    "/a b",
  ]) {
    const target = parseTarget(url);
    assert.ok(isRefusal(target) && target.status === 400, url);
  }
});

test("87: no path that passes leads out of a directory, however it is decoded again", () => {
  const part = fc.oneof(
    fc.constantFrom("..", ".", "%2e%2e", "%252e%252e", "%2f", "%5c", "%00", "a", "", "..%2f", "%c0%ae", "etc"),
    fc.string({ maxLength: 6 }),
    fc.string({ maxLength: 4, unit: "binary" }).map((text) => encodeURIComponent(text.toWellFormed())),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const target = parseTarget(`/${parts.join("/")}`);
      if (isRefusal(target)) return target.status === 400;
      const path = normalize(join("/root", ...target.segments));
      return path.startsWith("/root") && target.segments.every((segment) => !/[/\\\0\n]/.test(segment));
    }),
    { numRuns: 2_000 },
  );
});

test("83: a token in an address is refused", () => {
  for (const url of ["/x?token=abc", "/x?a=b&Access_Token=abc", "/x?api_key=", "/?%74oken=abc"]) {
    const target = parseTarget(url);
    assert.ok(isRefusal(target) && target.code === "token-in-url", url);
    assert.ok(!target.message.includes("abc"));
  }
});

test("a proxied path stands for the path behind the node and the method", () => {
  const inner = unwrapped(parsed("/proxy/n/GET/disco/a%40b/x"));
  assert.equal(inner?.method, "GET");
  assert.equal(inner?.target.path, "/disco/a%40b/x");
  assert.deepEqual(inner?.target.segments, ["disco", "a@b", "x"]);
  assert.equal(unwrapped(parsed("/proxy/n/GET")), null);
  assert.equal(unwrapped(parsed("/disco/n/GET/x")), null);
});

test("82: looking is read, jobs are submit, the rest is admin", () => {
  for (const [method, url, scope] of [
    ["GET", "/disco/ctrl/joblist", "read"],
    ["HEAD", "/disco/localhost/ab/job@1/x", "read"],
    ["POST", "/disco/ctrl/get_results", "read"],
    ["POST", "/disco/job/new", "submit"],
    ["POST", "/disco/ctrl/kill_job", "submit"],
    ["POST", "/disco/ctrl/clean_job", "submit"],
    ["POST", "/disco/ctrl/purge_job", "submit"],
    ["POST", "/disco/ctrl/blacklist", "admin"],
    ["POST", "/disco/ctrl/gc_whitelist", "admin"],
    ["POST", "/disco/ctrl/save_settings", "admin"],
    ["POST", "/disco/ctrl/save_config_table", "admin"],
    ["POST", "/disco/ctrl/constructor", "admin"],
    ["GET", "/api/v1/settings", "read"],
    ["POST", "/api/v1/results", "read"],
    ["POST", "/api/v1/jobs", "submit"],
    ["POST", "/api/v1/jobs/a%401/kill", "submit"],
    ["POST", "/api/v1/jobs/a%401/other", "admin"],
    ["POST", "/api/v1/nodes/n/blacklist", "admin"],
    ["PATCH", "/api/v1/settings", "admin"],
    ["PUT", "/api/v1/config", "admin"],
    ["PUT", "/api/v1/jobs", "admin"],
    ["GET", "/proxy/n/GET/disco/ctrl/joblist", "read"],
    ["GET", "/proxy/n/POST/disco/job/new", "admin"],
    ["POST", "/proxy/n/POST/disco/job/new", "submit"],
    ["GET", "/ddfs/tag/x", "read"],
    ["GET", "/ddfs/vol0/blob/00/x$1-1-1", "read"],
    ["POST", "/ddfs/ctrl/hosted_tags", "read"],
    ["DELETE", "/ddfs/tag/x", "submit"],
    ["POST", "/ddfs/tag/x", "submit"],
    ["GET", "/ddfs/new_blob/x", "submit"],
    ["PUT", "/ddfs/x$1-1-1", "submit"],
    ["PUT", "/proxy/n/PUT/ddfs/x$1-1-1", "submit"],
    ["POST", "/proxy/n/GET/ddfs/tag/x", "admin"],
    ["GET", "/ddfs/ctrl/gc_start", "admin"],
    ["GET", "/ddfs/ctrl/gc_status", "read"],
    ["GET", "/api/v1/ddfs/tag/x", "read"],
    ["PUT", "/api/v1/ddfs/tag/x", "submit"],
    ["POST", "/api/v1/ddfs/gc", "admin"],
    ["GET", "/metrics", "read"],
  ] as const) {
    assert.equal(requiredScope(method, parsed(url)), scope, `${method} ${url}`);
  }
});

test("labels of metrics are from a closed list, whatever clients ask for", () => {
  const known = new Set(["/disco/ctrl/joblist"]);
  const pattern = (url: string): string => routePattern(parsed(url).segments, known);
  assert.equal(pattern("/disco/ctrl/joblist"), "/disco/ctrl/joblist");
  assert.equal(pattern("/disco/job/new"), "/disco/job/*");
  assert.equal(pattern("/disco/localhost/ab/job@1/x/y"), "/disco/:node/:hh/:job/*");
  assert.equal(pattern("/api/v1/jobs/a%401/oob/key"), "/api/v1/jobs/:name/oob/:key");
  assert.equal(pattern("/api/v1/jobs"), "/api/v1/jobs");
  assert.equal(pattern("/proxy/n/GET/x"), "/proxy/:node/:method/*");
  for (const url of ["/", "/x", "/disco/x", "/disco/a/b/c", "/api/v1/x", "/api/v2/jobs", "/api/v1/jobs/a/b"]) {
    assert.equal(pattern(url), "other", url);
  }
});
