/** Results of a cluster: a master that passes on what its nodes have, and nodes that can be reached, or cannot. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { createDataServer } from "../node/data-server/data-server.ts";
import { jobDirectory } from "../node/job-directory.ts";
import { openUrl } from "../schemes/open.ts";
import { masterAddress } from "./address.ts";
import { connectMaster } from "./remote/connect.ts";
import { json, masterInfo, ScriptedServer } from "./remote/scripted-server.test-kit.ts";
import { knownServers, rememberNodes, rememberServer } from "./servers.ts";

const token = "the-client-s-token";
const path = `/disco/${jobDirectory("n1", "count@6a1:2:3")}/reduce-1-0.0.out`;
const contents = "a line of a result\n".repeat(50_000);

/** One file that two servers have, and what each was asked with. */
class Servers implements AsyncDisposable {
  readonly seen: (string | undefined)[][] = [[], []];
  readonly servers: http.Server[] = [];
  readonly at: string[] = [];
  override: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(): Promise<Servers> {
    const self = new Servers(await mkdtemp(join(tmpdir(), "disco-nodes-results-")));
    const file = join(self.#root, path.replace("/disco/", ""));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, contents);
    const data = createDataServer({ dataDir: self.#root, host: "n1" });
    for (const i of [0, 1]) {
      const server = http.createServer((request, response) => {
        self.seen[i]?.push(request.headers.authorization);
        if (i === 1 && self.override(request, response)) return;
        data(request, response).catch(() => response.destroy());
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      self.servers.push(server);
      self.at.push(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
    return self;
  }

  /** Reads the result by its address at the master. */
  async read(): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of openUrl(`disco://${this.at[0]}${path}`, knownServers())) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }

  remember(): void {
    rememberServer(this.at[0] ?? "", { token });
    rememberNodes(this.at[0] ?? "", [{ name: "n1", url: `http://${this.at[1]}` }]);
  }

  get times(): number[] {
    return this.seen.map(({ length }) => length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) {
      server.closeAllConnections();
      server.close();
    }
    await rm(this.#root, { recursive: true, force: true });
  }
}

describe("results of a cluster", () => {
  it("are read from the node that has them, with the client's token, under the address at the master", async () => {
    await using servers = await Servers.open();
    servers.remember();
    assert.equal(await servers.read(), contents);
    assert.deepEqual(servers.seen, [[], [`Bearer ${token}`]]);
  });

  it("come through the master when the node cannot be reached, which is not tried again at once", async () => {
    await using servers = await Servers.open();
    servers.remember();
    servers.override = (request) => {
      request.destroy();
      return true;
    };
    assert.equal(await servers.read(), contents);
    assert.equal(await servers.read(), contents);
    assert.deepEqual(servers.times, [2, 1]);
  });

  it("come through the master when somebody else is at the node's address", async () => {
    await using servers = await Servers.open();
    servers.remember();
    servers.override = (_, response) => {
      response.writeHead(404).end();
      return true;
    };
    assert.equal(await servers.read(), contents);
    assert.deepEqual(servers.times, [1, 1]);
  });

  it("are read on from the master, from the byte on at which the node went away", async () => {
    await using servers = await Servers.open();
    servers.remember();
    servers.override = (_, response) => {
      const write = response.write.bind(response) as (chunk: Uint8Array, callback: () => void) => boolean;
      response.write = ((chunk: Uint8Array) => write(chunk.subarray(0, 10_000), () => response.destroy())) as never;
      return false;
    };
    assert.equal(await servers.read(), contents);
    assert.deepEqual(servers.times, [1, 1]);
  });

  it("are not looked for, nor tokens shown, where a node's address means another machine here or lacks TLS", () => {
    const nodes = [
      { name: "near", url: "http://127.0.0.1:1" },
      { name: "plain", url: "http://10.0.0.7:8989" },
      { name: "safe", url: "https://10.0.0.8:8989" },
      { name: "here", url: null },
    ];
    rememberServer("https://master.example:8989", { token });
    rememberNodes("https://master.example:8989", nodes);
    const { nodeAt, token: shown } = knownServers();
    const at = (name: string): string | undefined => nodeAt?.("master.example:8989", name);
    assert.deepEqual(["near", "plain", "safe", "here"].map(at), [
      undefined,
      undefined,
      "https://10.0.0.8:8989/",
      undefined,
    ]);
    assert.equal(shown?.("https://10.0.0.8:8989"), token);
    for (const other of ["http://10.0.0.7:8989", "http://127.0.0.1:1", "https://10.0.0.8"]) {
      assert.equal(shown?.(other), undefined, other);
    }
  });

  it("find their nodes when a client connects to a cluster, and only then", async () => {
    const node = {
      name: "n1",
      url: "http://127.0.0.1:4711",
      slots: 1,
      connected: true,
      blacklisted: false,
      tasksOk: 0,
      tasksFailed: 0,
      dataErrors: 0,
      diskFreeBytes: 0,
      diskUsedBytes: 0,
      tasks: [],
      labels: {},
    };
    for (const [role, expected] of [
      [{ role: "leads" as const }, "http://127.0.0.1:4711/"],
      [{}, undefined],
    ] as const) {
      await using server = await new ScriptedServer({
        "GET /api/v1/master": (_, response) => json(response, 200, { ...masterInfo, ...role }),
        "GET /api/v1/nodes": (_, response) => json(response, 200, { nodes: [node] }),
      }).listen();
      const address = masterAddress(server.address);
      assert.ok(address !== null);
      const master = await connectMaster(address, { retrySeconds: 1 });
      assert.equal(knownServers().nodeAt?.(`127.0.0.1:${server.port}`, "n1"), expected);
      await master.close();
    }
  });
});
