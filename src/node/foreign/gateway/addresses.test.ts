import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { pathSegments } from "../../data-server/request-path.ts";
import { Addresses } from "./addresses.ts";
import { rewriteIndex } from "./index-text.ts";

const store = "s3://bucket/prefix";
const base = "http://127.0.0.1:4711/1-key";
const addresses = new Addresses({
  authority: "127.0.0.1:4711",
  key: "1-key",
  host: "own",
  isNode: (name) => name === "other",
  isFile: (path) => path.endsWith("/here"),
  store,
});

describe("addresses for foreign workers", () => {
  const cases: readonly [string, string, string][] = [
    ["a file of another node", "disco://other/disco/other/ab/j@1/f", `${base}/disco/other/ab/j@1/f`],
    ["one by its master", "disco://m:8989/disco/other/ab/j@1/f", `${base}/disco/other/ab/j@1/f`],
    [
      "an index of another node",
      "dir://other/disco/other/ab/j/.disco/x.results",
      "dir://127.0.0.1:4711/1-key/disco/other/ab/j/.disco/x.results",
    ],
    [
      "an index of the own node",
      "dir://own/disco/own/ab/j/.disco/x.results",
      "dir://127.0.0.1:4711/1-key/disco/own/ab/j/.disco/x.results",
    ],
    ["a blob of another node", "disco://other/ddfs/vol1/blob/ab/b$1", `${base}/proxy/other/GET/ddfs/vol1/blob/ab/b$1`],
    [
      "one by a detour",
      "disco://m:8989/proxy/other/GET/ddfs/vol1/blob/ab/b",
      `${base}/proxy/other/GET/ddfs/vol1/blob/ab/b`,
    ],
    ["a blob of the store", `${store}/blob/ab/b`, `${base}/ddfs/vol0/blob/ab/b`],
    ["a file of a node that is away for good", "disco://own/disco/gone/ab/j/f", `${base}/disco/gone/ab/j/f`],
    [
      "a name that HTTP would cut off",
      "disco://other/disco/other/ab/j/a?b#c%d é",
      `${base}/disco/other/ab/j/a%3Fb%23c%25d%20%C3%A9`,
    ],
    ["a file of another cluster", "disco://far:7000/disco/far/ab/j/f", "http://far:7000/disco/far/ab/j/f"],
    ["a file of a node that has not come yet", "disco://new/disco/new/ab/j/f", `${base}/disco/new/ab/j/f`],
    ["its index with a port", "dir://far:7000/disco/far/ab/j/f", "dir://far:7000/disco/far/ab/j/f"],
  ];
  for (const [what, url, inside] of cases) {
    it(`name ${what}`, () => {
      assert.equal(addresses.inside(url), inside);
      assert.equal(addresses.input(url), inside);
    });
  }

  it("leave alone what no gateway has", () => {
    const others = [
      "http://x/y",
      "tag://data:words",
      "raw://disco://other/disco/other/f",
      "/etc/passwd",
      "file:///x",
      "",
      "disco://other",
      "disco://other/x/y",
      "disco://other/disco/../f",
      "disco://other/disco//f",
      `${store}/blob/ab/../b`,
    ];
    for (const url of others) assert.equal(addresses.inside(url), url);
    for (const url of others) assert.equal(addresses.outside(url), url);
  });

  it("have inputs of the own node read as files, where they are files", () => {
    const file = "disco://own/disco/own/ab/j/f";
    assert.equal(addresses.input(file), file);
    assert.equal(addresses.inside(file), `${base}/disco/own/ab/j/f`);
    assert.equal(addresses.input("disco://own/ddfs/vol0/blob/ab/here"), "disco://own/ddfs/vol0/blob/ab/here");
    assert.equal(addresses.input("disco://own/ddfs/vol0/blob/ab/away"), `${base}/proxy/own/GET/ddfs/vol0/blob/ab/away`);
  });

  it("mean the same outside that they mean inside, and are paths that the gateway can read", () => {
    const name = fc
      .string({ minLength: 1, maxLength: 8, unit: "grapheme" })
      .filter((text) => !/[/\\\p{Cc}\u2028\u2029]/u.test(text) && text !== "." && text !== ".." && text.isWellFormed());
    const node = fc.constantFrom("own", "other");
    const file = fc
      .tuple(fc.constantFrom("disco", "dir"), node, fc.array(name, { minLength: 1, maxLength: 4 }))
      .map(([scheme, host, rest]) => `${scheme}://${host}/disco/${host}/${rest.join("/")}`);
    const blob = fc
      .tuple(node, name, name)
      .map(([host, hash, object]) => `disco://${host}/ddfs/vol0/blob/${hash}/${object}`);
    const stored = fc.tuple(name, name).map(([hash, object]) => `${store}/blob/${hash}/${object}`);
    fc.assert(
      fc.property(fc.oneof(file, blob, stored), (url) => {
        const inside = addresses.inside(url);
        assert.notEqual(inside, url);
        assert.equal(addresses.outside(inside), url);
        assert.ok(pathSegments(inside.slice(inside.indexOf("/1-key") + "/1-key".length)) !== null);
      }),
    );
  });

  it("are told apart by job: another one's key means nothing", () => {
    const inside = addresses.inside("disco://other/disco/other/ab/j/f").replace("1-key", "2-key");
    assert.equal(addresses.outside(inside), inside);
    assert.equal(addresses.outside(`${base}/ddfs/tag/data:words`), "tag://data:words");
  });

  it("are those of the entries of an index, line by line", () => {
    const text = "0 disco://own/disco/own/ab/j/a 12\n13 disco://other/disco/other/ab/j/b 0\n1 tag://t 5\nno line\n";
    const rewritten = rewriteIndex(text, (url) => addresses.inside(url));
    assert.equal(rewritten, `0 ${base}/disco/own/ab/j/a 12\n13 ${base}/disco/other/ab/j/b 0\n1 tag://t 5\nno line\n`);
    assert.equal(
      rewriteIndex(rewritten, (url) => addresses.outside(url)),
      text,
    );
  });
});
