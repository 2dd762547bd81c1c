import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { masterAddress } from "./address.ts";
import { Disco } from "./disco.ts";
import { remoteOptions } from "./disco-options.ts";

afterEach(() => {
  for (const name of ["DISCO_MASTER", "DISCO_TOKEN", "DISCO_RETRY_SECONDS"]) delete process.env[name];
});

describe("the address of a master", () => {
  it("becomes the URL that its API lies below", () => {
    const urls = {
      "disco://localhost": "http://localhost:8989",
      "disco://bigbox:9000/": "http://bigbox:9000",
      "disco://[::1]:9000": "http://[::1]:9000",
      "http://bigbox:1234": "http://bigbox:1234",
      "https://bigbox.example/some/path/": "https://bigbox.example/some/path",
      "http://bigbox": "http://bigbox",
    };
    for (const [address, url] of Object.entries(urls)) {
      assert.deepEqual({ ...masterAddress(address), isHere: 0 }, { urls: [url], shown: address, isHere: 0 });
    }
  });

  it("tells whether the master is on this machine", () => {
    for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "[::1]", "disco.localhost"]) {
      assert.equal(masterAddress(`disco://${host}`)?.isHere, true, host);
    }
    for (const host of ["bigbox", "10.0.0.1", "localhost.example", "128.0.0.1", "0.0.0.0"]) {
      assert.equal(masterAddress(`disco://${host}`)?.isHere, false, host);
    }
  });

  it("comes from DISCO_MASTER where none is given, and is none where that is not set", () => {
    assert.equal(masterAddress(undefined), null);
    process.env["DISCO_MASTER"] = "disco://elsewhere";
    assert.deepEqual(masterAddress(undefined)?.urls, ["http://elsewhere:8989"]);
    assert.deepEqual(masterAddress("disco://given")?.urls, ["http://given:8989"]);
    process.env["DISCO_MASTER"] = "elsewhere";
    assert.throws(() => masterAddress(undefined), {
      code: "bad-address",
      message: /"elsewhere" \(from DISCO_MASTER\)/,
    });
  });

  it("may be a list of masters: the hosts of one address, several addresses, or an array of them", () => {
    const lists: readonly (readonly [string | readonly string[], readonly string[]])[] = [
      ["disco://a,b,[::1]", ["http://a:8989", "http://b:8989", "http://[::1]:8989"]],
      ["disco://a,b:9000", ["http://a:9000", "http://b:9000"]],
      ["disco://a:1, b,c:2", ["http://a:1", "http://b:8989", "http://c:2"]],
      ["https://a,b:8443/disco/", ["https://a:8443/disco", "https://b:8443/disco"]],
      ["disco://a,http://b:7,disco://c", ["http://a:8989", "http://b:7", "http://c:8989"]],
      [
        ["disco://a", "disco://b,c", "disco://a:8989"],
        ["http://a:8989", "http://b:8989", "http://c:8989"],
      ],
      ["http://a/with,comma", ["http://a/with,comma"]],
    ];
    for (const [given, urls] of lists) assert.deepEqual(masterAddress(given)?.urls, urls, String(given));
    assert.equal(masterAddress(["disco://a", "disco://b"])?.shown, "disco://a,disco://b");
    process.env["DISCO_MASTER"] = "disco://a,b";
    assert.deepEqual(masterAddress(undefined)?.urls, ["http://a:8989", "http://b:8989"]);
    assert.equal(masterAddress("disco://localhost,127.0.0.1:1")?.isHere, true);
    assert.equal(masterAddress("disco://localhost,bigbox")?.isHere, false);
  });

  it("in a list is refused when one of them is none, and when only some have TLS", () => {
    for (const list of ["disco://a,,b", "disco://a,b:x", "a,b", ["disco://a", "b"]]) {
      assert.throws(() => new Disco(list), { code: "bad-address" }, String(list));
    }
    assert.throws(() => new Disco(["disco://a", 5] as never), { code: "bad-address", hint: /list of addresses/ });
    assert.throws(() => new Disco([]), { code: "bad-address" });
    assert.throws(() => new Disco("https://a,disco://b"), { code: "bad-address", message: /with and without TLS/ });
  });

  it("that is none is refused, naming it", () => {
    const wrong = [
      "localhost",
      "disco://",
      "disco://h:x",
      "disco://h:99999",
      "ftp://h",
      "http://",
      "http://h/?a=1",
      8989,
    ];
    for (const address of wrong) {
      assert.throws(() => new Disco(address as string), { name: "DiscoError", code: "bad-address" }, String(address));
    }
    assert.throws(() => new Disco({ workers: 2 } as never), { hint: /second argument/ });
  });

  it("with a secret in it is refused without repeating the secret", () => {
    for (const address of ["http://token:geheim@host:8989", "disco://geheim@host", "disco://a,geheim@host"]) {
      assert.throws(
        () => new Disco(address),
        (error: Error & { hint?: string }) => {
          assert.doesNotMatch(`${error.message} ${error.hint}`, /geheim/);
          assert.match(error.hint ?? "", /DISCO_TOKEN/);
          return true;
        },
      );
    }
  });
});

describe("the options of a Disco", () => {
  it("are refused where they mean nothing for the master that is named", () => {
    for (const options of [{ root: "/tmp" }, { workers: 2 }, { journal: "memory" as const }, { labels: {} }]) {
      const [name] = Object.keys(options);
      assert.throws(() => new Disco("disco://bigbox", options), {
        name: "JobError",
        code: "bad-option",
        message: new RegExp(`^${name}: only for the engine in this process, and the master is disco://bigbox$`),
      });
    }
    for (const options of [{ token: "geheim" }, { retrySeconds: 3 }]) {
      assert.throws(() => new Disco(undefined, options), { code: "bad-option", message: /no master elsewhere/ });
    }
  });

  it("are checked", () => {
    assert.throws(() => new Disco(undefined, { workers: 0 }), /workers: an integer from 1/);
    assert.throws(() => new Disco("disco://h", { retrySeconds: -1 }), { code: "bad-option" });
    assert.throws(
      () => new Disco("disco://h", { token: "geheim mit Leerzeichen" }),
      (error: Error) =>
        error.message.includes("token: a token of visible characters") && !error.message.includes("geheim"),
    );
  });

  it("come from the environment where they are not given", () => {
    assert.deepEqual(remoteOptions({}, ["http://h:1"]), {});
    process.env["DISCO_TOKEN"] = "t1";
    process.env["DISCO_RETRY_SECONDS"] = "7";
    assert.deepEqual(remoteOptions({}, ["http://h:1"]), { token: "t1", retrySeconds: 7 });
    assert.deepEqual(remoteOptions({ token: "t2", retrySeconds: 0 }, ["http://h:1"]), { token: "t2", retrySeconds: 0 });
    process.env["DISCO_RETRY_SECONDS"] = "soon";
    assert.throws(() => new Disco("disco://h"), { code: "bad-option", message: /DISCO_RETRY_SECONDS/ });
  });
});
