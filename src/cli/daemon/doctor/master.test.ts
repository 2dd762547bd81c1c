import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { packageVersion } from "../../../package-version.ts";
import { resolveClientSettings } from "../../../settings/client.ts";
import type { Finding } from "./finding.ts";
import { checkMaster } from "./master.ts";
import { checkSkew } from "./skew.ts";

const token = "a-token-for-this-test";

async function examine(master: string, env: Record<string, string> = {}): Promise<readonly Finding[]> {
  return checkMaster(
    resolveClientSettings({ flags: { config: "none" }, env: { DISCO_MASTER: master, ...env }, cwd: "/" }),
  );
}

async function withServer(answer: RequestListener, use: (address: string) => Promise<void>): Promise<void> {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await use(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** A master that asks for a token. */
function masterOf(version: string): RequestListener {
  return (request, response) => {
    response.setHeader("content-type", "application/json");
    if (request.url === "/healthz") response.end(JSON.stringify({ status: "ok", instance: "one", version }));
    else if (request.headers.authorization !== `Bearer ${token}`) response.writeHead(401).end("{}");
    else response.end(request.url === "/api/v1/nodes" ? "[]" : JSON.stringify({ alarms: [] }));
  };
}

describe("the master that is set", () => {
  it("is not looked for when it is this process, or none", async () => {
    assert.deepEqual(await examine(""), []);
    assert.deepEqual(await examine("local"), []);
  });

  it("answers, and knows our token", async () => {
    await withServer(masterOf(packageVersion()), async (address) => {
      const findings = await examine(`disco://${address}`, { DISCO_TOKEN: token });
      assert.deepEqual(
        findings.map(({ check, state }) => [check, state]),
        [
          ["master", "ok"],
          ["master-clock", "ok"],
        ],
      );
    });
  });

  it("asks for a token, or does not know ours", async () => {
    await withServer(masterOf(packageVersion()), async (address) => {
      const without = (await examine(`disco://${address}`)).find(({ state }) => state === "fail");
      assert.match(without?.message ?? "", /refuses: it asks for a token: set DISCO_TOKEN/);
      const wrong = (await examine(`http://${address}`, { DISCO_READ_TOKEN: `${token}x` })).find(
        ({ state }) => state === "fail",
      );
      assert.match(wrong?.message ?? "", /does not know this token/);
    });
  });

  it("has another version", async () => {
    await withServer(masterOf("99.0.0"), async (address) => {
      const findings = await examine(`disco://${address}`, { DISCO_TOKEN: token });
      assert.match(
        findings.find(({ state }) => state === "warn")?.message ?? "",
        /the master is version 99\.0\.0, this command /,
      );
    });
  });

  it("is something else", async () => {
    await withServer(
      (_, response) => response.end("hello"),
      async (address) => {
        const [finding] = await examine(`disco://${address}`);
        assert.equal(finding?.state, "fail");
        assert.match(finding.message, /\(DISCO_MASTER in the environment\) answers, and is no Disco master$/);
      },
    );
  });

  it("is out of reach, for a reason that people understand", async () => {
    let free = "";
    await withServer(masterOf("1"), (address) => {
      free = address;
      return Promise.resolve();
    });
    const [refused] = await examine(`disco://${free}`);
    assert.match(refused?.message ?? "", /cannot be reached: the machine is there, and nothing listens on that port$/);
    await withServer(
      (request) => request.socket.destroy(),
      async (address) => {
        const [reset] = await examine(`disco://${address}`);
        assert.match(reset?.message ?? "", /cannot be reached: whatever listens there hangs up$/);
      },
    );
  });
});

describe("clocks", () => {
  it("may differ by the second that a header has, and not by more than a few", () => {
    const answer = { kind: "answer", status: 200, body: null, date: 1_000_000 } as const;
    assert.deepEqual(
      checkSkew("c", answer, 1_004_000).map(({ state }) => state),
      ["ok"],
    );
    assert.deepEqual(
      checkSkew("c", answer, 1_060_000).map(({ message }) => message),
      ["its clock and this one differ by 60 s"],
    );
    assert.deepEqual(
      checkSkew("c", answer, 940_000).map(({ state }) => state),
      ["warn"],
    );
    assert.deepEqual(checkSkew("c", { ...answer, date: null }), []);
  });
});
