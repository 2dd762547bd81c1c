import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkPrefix, jobname, nameOf } from "./job-name.ts";

describe("names of jobs", () => {
  it("are of letters, digits and underscores, at most a hundred", () => {
    assert.equal(checkPrefix("word_Count9"), "word_Count9");
    for (const bad of ["", "a b", "a-b", "a@1", "ä", "x".repeat(101), 4, null, undefined]) {
      assert.throws(() => checkPrefix(bad), { name: "JobError", code: "bad-name" });
    }
    assert.throws(() => checkPrefix("word-count"), { hint: 'For instance "word_count".' });
  });

  it("are taken from jobs, names and results of Disco.results alike", () => {
    assert.equal(nameOf("wc@5f2:1a3:0"), "wc@5f2:1a3:0");
    assert.equal(nameOf(["wc@1:2:3", ["active", []]]), "wc@1:2:3");
    assert.equal(nameOf({ name: "wc@1:2:3" } as never), "wc@1:2:3");
    for (const bad of ["", "../etc", "a/b", null, {}, 3]) {
      assert.throws(() => nameOf(bad as never), { name: "DiscoError", code: "bad-name" });
    }
  });

  it("are found in the addresses of results", () => {
    assert.equal(jobname("dir://localhost/disco/localhost/8c/wc@703:6:0/.disco/reduce-0-0.results"), "wc@703:6:0");
    assert.equal(jobname("disco://node1/disco/node1/8c/wc@703:6:0/reduce-0-0.1.disco"), "wc@703:6:0");
    assert.equal(jobname("http://node1:8989/disco/node1/8c/wc@703:6:0/x"), "wc@703:6:0");
    assert.equal(jobname("dir://cnode03/jobname/"), "jobname");
    assert.equal(jobname("tag://disco:results:wc@703:6:0"), "wc@703:6:0");
    for (const bad of ["", "raw://wc", "/tmp/file", "dir://host", "dir://host/disco/host"]) {
      assert.throws(() => jobname(bad), { code: "bad-url" });
    }
  });
});
