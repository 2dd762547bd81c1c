/** The network that other tests break: that it breaks as it should, and leaves nothing behind. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { type Hosts, openHosts, whyNoHosts } from "./hosts.test-kit.ts";

const reason = whyNoHosts();
const options = { skip: reason ?? false, timeout: 60_000 };
const names = ["a", "b", "c", "d", "e"];
const port = 4711;

/** A process on a host that sends datagrams and prints what it receives. */
class Peer {
  readonly #hosts: Hosts;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(hosts: Hosts, name: string) {
    this.#hosts = hosts;
    const script = join(import.meta.dirname, "fixtures", "datagrams.js");
    this.#child = hosts.spawn(name, process.execPath, [script, String(port)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    assert.ok(this.#child.stdout !== null);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async next(): Promise<string> {
    const line = await this.#lines.next();
    assert.equal(line.done ?? false, false, "it ended");
    return line.value;
  }

  send(to: string, text: string): void {
    this.#child.stdin?.write(`${this.#hosts.address(to)} ${text}\n`);
  }
}

async function peersOn(hosts: Hosts): Promise<(name: string) => Peer> {
  const peers = new Map(names.map((name) => [name, new Peer(hosts, name)]));
  for (const peer of peers.values()) assert.equal(await peer.next(), "ready");
  return (name) => peers.get(name) ?? assert.fail(`no ${name}`);
}

test("five hosts reach each other, until a cable is pulled, and again when it is plugged in", options, async () => {
  await using hosts = await openHosts(names);
  const peer = await peersOn(hosts);
  for (const from of names) {
    for (const to of names) {
      if (from === to) continue;
      peer(from).send(to, `${from}-${to}`);
      assert.equal(await peer(to).next(), `${from}-${to}`);
    }
  }
  await hosts.unplug("a");
  peer("a").send("b", "lost");
  peer("c").send("b", "others");
  assert.equal(await peer("b").next(), "others");
  await hosts.plug("a");
  peer("a").send("b", "back");
  assert.equal(await peer("b").next(), "back");
});

test(
  "one direction is lost while the other works, and two hosts are separated from each other only",
  options,
  async () => {
    await using hosts = await openHosts(names);
    const peer = await peersOn(hosts);
    peer("a").send("b", "first");
    assert.equal(await peer("b").next(), "first");

    await hosts.lose("a", "b");
    peer("a").send("b", "lost");
    peer("b").send("a", "other-way");
    assert.equal(await peer("a").next(), "other-way");
    peer("a").send("c", "elsewhere");
    assert.equal(await peer("c").next(), "elsewhere");
    await hosts.find("a", "b");
    peer("a").send("b", "found");
    assert.equal(await peer("b").next(), "found", "and not what was lost");

    await hosts.separate("a", "b");
    peer("a").send("b", "lost");
    peer("b").send("a", "lost");
    peer("c").send("a", "from-c");
    peer("c").send("b", "from-c");
    assert.equal(await peer("a").next(), "from-c");
    assert.equal(await peer("b").next(), "from-c");
    await hosts.rejoin("a", "b");
    peer("b").send("a", "again");
    assert.equal(await peer("a").next(), "again");
  },
);

test("a slow link carries what its rate allows", options, async () => {
  await using hosts = await openHosts(["a"]);
  const bitsPerSecond = 8_000_000;
  const bytes = 1_000_000;
  await hosts.slow("a", bitsPerSecond);
  const server = createServer((socket) => socket.end(Buffer.alloc(bytes)));
  // A test that fails must not hold its process.
  server.unref();
  server.listen(0, hosts.ownAddress);
  await once(server, "listening");
  const { port: own } = server.address() as { port: number };
  const script = `let n = 0; const s = require("node:net").connect(${own}, "${hosts.ownAddress}");
    const t = performance.now(); s.on("data", (d) => n += d.length);
    s.on("end", () => { console.log(n, performance.now() - t); });`;
  const child = hosts.spawn("a", process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  server.close();
  const [received, ms] = String(output).split(" ").map(Number);
  assert.equal(received, bytes);
  // The bucket lets its burst through at once.
  assert.ok((ms ?? 0) > 800, `${ms} ms for a megabyte at a megabyte per second`);
});

test("nothing is left of hosts that are gone, nor of what ran on them", options, async () => {
  let ended: Promise<unknown[]>;
  {
    await using hosts = await openHosts(["a"]);
    const child = hosts.spawn("a", process.execPath, ["-e", "setInterval(() => {}, 1000); console.log(1)"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout as NodeJS.ReadableStream, "data");
    ended = once(child, "exit");
  }
  assert.deepEqual(await ended, [null, "SIGKILL"]);
  assert.doesNotMatch(execFileSync("ip", ["netns", "list"], { encoding: "utf8" }), new RegExp(`-t${process.pid}-`));
  assert.doesNotMatch(execFileSync("ip", ["link"], { encoding: "utf8" }), new RegExp(` dt${process.pid}-`));
});
