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
      assert.deepEqual({ ...masterAddress(address), isHere: 0 }, { url, shown: address, isHere: 0 });
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
    assert.equal(masterAddress(undefined)?.url, "http://elsewhere:8989");
    assert.equal(masterAddress("disco://given")?.url, "http://given:8989");
    process.env["DISCO_MASTER"] = "elsewhere";
    assert.throws(() => masterAddress(undefined), {
      code: "bad-address",
      message: /"elsewhere" \(from DISCO_MASTER\)/,
    });
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
    for (const address of ["http://token:geheim@host:8989", "disco://geheim@host"]) {
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
    assert.deepEqual(remoteOptions({}, "http://h:1"), {});
    process.env["DISCO_TOKEN"] = "t1";
    process.env["DISCO_RETRY_SECONDS"] = "7";
    assert.deepEqual(remoteOptions({}, "http://h:1"), { token: "t1", retrySeconds: 7 });
    assert.deepEqual(remoteOptions({ token: "t2", retrySeconds: 0 }, "http://h:1"), { token: "t2", retrySeconds: 0 });
    process.env["DISCO_RETRY_SECONDS"] = "soon";
    assert.throws(() => new Disco("disco://h"), { code: "bad-option", message: /DISCO_RETRY_SECONDS/ });
  });
});
