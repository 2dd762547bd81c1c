/**
 * Several hosts on one machine, for tests of the network between them. Each is a network namespace with an address of its own;
 * a further namespace holds the bridge that they are plugged into, and one cable leads from it to the tests' own process.
 *
 * What can happen to a network here happens silently, as it does outside: packets vanish, nobody is told.
 * - A host's cable is pulled by taking its port off the bridge: the link stays up, and what is sent goes nowhere.
 * - One direction between two hosts is lost by a neighbour entry that says the other has a network card that nobody has.
 * - A link is made slow by a token bucket (tbf) at both of its ends.
 * None of these needs a firewall or kernel modules that small kernels lack (netem, filters of tc).
 *
 * Names carry the process id: what a killed test left behind is removed by the next one, and nothing else ever is.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { setTimeout as passed } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Of a range that is for tests of networks (RFC 2544) and in use nowhere. */
const range = "198.18";
const testsOwn = 254;
const prefix = "disco-t";
/** Locally administered, and of no card. */
const nobodysCard = "02:00:00:00:de:ad";
/** Bytes that a slowed link lets through at once: a few full frames of a veth pair. */
const burstBytes = 65_536;
const queueMs = 400;

export interface Flapping {
  readonly times: number;
  readonly downMs: number;
  readonly upMs: number;
}

let opened = 0;

/** Why hosts cannot be had here; `null`: they can. */
export function whyNoHosts(): string | null {
  if (process.platform !== "linux") return "network namespaces exist on Linux only";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const probe = `${prefix}${process.pid}-probe`;
  try {
    execFileSync("ip", ["netns", "add", probe], { stdio: "pipe" });
    execFileSync("ip", ["netns", "delete", probe], { stdio: "pipe" });
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === "ENOENT" ? "`ip` is not installed (package iproute2)" : message;
  }
}

/** Lays them out, all plugged in. Removed when disposed of, at the latest when this process ends. */
export async function openHosts(names: readonly string[]): Promise<Hosts> {
  removeLeftovers();
  const hosts = new Hosts(names, opened++);
  try {
    await hosts.layOut();
  } catch (error) {
    await hosts[Symbol.asyncDispose]();
    throw error;
  }
  return hosts;
}

export class Hosts implements AsyncDisposable {
  readonly names: readonly string[];
  /** By which hosts reach the tests' own process. */
  readonly ownAddress: string;
  readonly #subnet: string;
  readonly #tag: string;
  readonly #atExit = (): void => this.#remove();

  constructor(names: readonly string[], serial: number) {
    assert.ok(names.length < testsOwn, "more hosts than addresses");
    this.names = names;
    this.#tag = `${prefix}${process.pid}-${serial}`;
    this.#subnet = `${range}.${(process.pid + serial) % 256}`;
    this.ownAddress = `${this.#subnet}.${testsOwn}`;
  }

  /** Address of the host. */
  address(name: string): string {
    return `${this.#subnet}.${this.#index(name) + 1}`;
  }

  /** Starts a process on the host. */
  spawn(name: string, command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn("ip", ["netns", "exec", this.#space(name), command, ...args], options);
  }

  /** Pulls the host's cable: it reaches nobody, and nobody it. Its own loopback works. */
  async unplug(name: string): Promise<void> {
    await this.#inSwitch("link", "set", this.#port(name), "nomaster");
  }

  async plug(name: string): Promise<void> {
    await this.#inSwitch("link", "set", this.#port(name), "master", "bridge");
  }

  /** What `from` sends to `to` vanishes; the other direction works. `to` may be `tests`. */
  async lose(from: string, to: string): Promise<void> {
    await this.#neighbour(from, ["replace", this.#addressOf(to), "lladdr", nobodysCard, "nud", "permanent"]);
  }

  /** Undoes `lose`. */
  async find(from: string, to: string): Promise<void> {
    await this.#neighbour(from, ["delete", this.#addressOf(to)]);
  }

  /** Cuts two hosts off each other, both ways; everybody else reaches both. */
  async separate(a: string, b: string): Promise<void> {
    await Promise.all([this.lose(a, b), this.lose(b, a)]);
  }

  /** Undoes `separate`. */
  async rejoin(a: string, b: string): Promise<void> {
    await Promise.all([this.find(a, b), this.find(b, a)]);
  }

  /** Bits per second that the host sends, and receives, at most. */
  async slow(name: string, bitsPerSecond: number): Promise<void> {
    const rule = ["root", "tbf", "rate", `${bitsPerSecond}bit`, "burst", `${burstBytes}b`, "latency", `${queueMs}ms`];
    // Offloaded segments are larger than the bucket, and a bucket drops what it cannot hold.
    await this.#inSpace(name, "link", "set", "eth0", "gso_max_segs", "1");
    await this.#inSwitch("link", "set", this.#port(name), "gso_max_segs", "1");
    await run("tc", ["-n", this.#space(name), "qdisc", "replace", "dev", "eth0", ...rule]);
    await run("tc", ["-n", this.#switch, "qdisc", "replace", "dev", this.#port(name), ...rule]);
  }

  /** Undoes `slow`. */
  async hasten(name: string): Promise<void> {
    await run("tc", ["-n", this.#space(name), "qdisc", "delete", "dev", "eth0", "root"]);
    await run("tc", ["-n", this.#switch, "qdisc", "delete", "dev", this.#port(name), "root"]);
  }

  /** Bytes that it has sent to others since it is there. */
  async sentBytes(name: string): Promise<number> {
    const { stdout } = await run("ip", ["-n", this.#space(name), "-j", "-s", "link", "show", "eth0"]);
    const [link] = JSON.parse(stdout) as { stats64?: { tx?: { bytes?: number } } }[];
    return link?.stats64?.tx?.bytes ?? assert.fail(stdout);
  }

  /** Pulls the cable and plugs it in again, several times. Ends plugged in. */
  async flap(name: string, { times, downMs, upMs }: Flapping): Promise<void> {
    for (let i = 0; i < times; i++) {
      await this.unplug(name);
      await passed(downMs);
      await this.plug(name);
      await passed(upMs);
    }
  }

  async layOut(): Promise<void> {
    process.once("exit", this.#atExit);
    await run("ip", ["netns", "add", this.#switch]);
    await this.#inSwitch("link", "add", "bridge", "type", "bridge");
    await this.#inSwitch("link", "set", "bridge", "up");
    for (const name of this.names) {
      const space = this.#space(name);
      const port = this.#port(name);
      await run("ip", ["netns", "add", space]);
      await this.#inSwitch("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space);
      await this.#inSwitch("link", "set", port, "master", "bridge", "up");
      await this.#inSpace(name, "link", "set", "lo", "up");
      await this.#inSpace(name, "address", "add", `${this.address(name)}/24`, "dev", "eth0");
      await this.#inSpace(name, "link", "set", "eth0", "up");
    }
    await run("ip", ["link", "add", this.#cable, "type", "veth", "peer", "name", "tests", "netns", this.#switch]);
    await this.#inSwitch("link", "set", "tests", "master", "bridge", "up");
    await run("ip", ["address", "add", `${this.ownAddress}/24`, "dev", this.#cable]);
    await run("ip", ["link", "set", this.#cable, "up"]);
  }

  /** Kills what still runs on the hosts and removes them. */
  async [Symbol.asyncDispose](): Promise<void> {
    process.removeListener("exit", this.#atExit);
    this.#remove();
  }

  get #switch(): string {
    return `${this.#tag}-switch`;
  }

  /** Names of interfaces have 15 characters. */
  get #cable(): string {
    return `dt${this.#tag.slice(prefix.length)}`.slice(0, 15);
  }

  #space(name: string): string {
    return `${this.#tag}-${this.#index(name)}`;
  }

  #port(name: string): string {
    return `port${this.#index(name)}`;
  }

  #index(name: string): number {
    const index = this.names.indexOf(name);
    assert.ok(index >= 0, `there is no host ${name}`);
    return index;
  }

  #addressOf(name: string): string {
    return name === "tests" ? this.ownAddress : this.address(name);
  }

  async #neighbour(from: string, change: readonly string[]): Promise<void> {
    if (from === "tests") await run("ip", ["neighbour", ...change, "dev", this.#cable]);
    else await this.#inSpace(from, "neighbour", ...change, "dev", "eth0");
  }

  async #inSpace(name: string, ...args: readonly string[]): Promise<void> {
    await run("ip", ["-n", this.#space(name), ...args]);
  }

  async #inSwitch(...args: readonly string[]): Promise<void> {
    await run("ip", ["-n", this.#switch, ...args]);
  }

  /** At once, for a process that ends can wait for nothing. */
  #remove(): void {
    removeLink(this.#cable);
    for (const space of [...this.names.map((name) => this.#space(name)), this.#switch]) removeSpace(space);
  }
}

function removeLeftovers(): void {
  const spaces = execFileSync("ip", ["netns", "list"], { encoding: "utf8" }).split("\n");
  for (const line of spaces) {
    const [space = ""] = line.split(" ");
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(space)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) removeSpace(space);
  }
}

function removeSpace(space: string): void {
  try {
    const pids = execFileSync("ip", ["netns", "pids", space], { encoding: "utf8", stdio: "pipe" });
    for (const pid of pids.split("\n").filter(Boolean)) kill(Number(pid));
    execFileSync("ip", ["netns", "delete", space], { stdio: "pipe" });
  } catch {
    // It is not there: never made, or removed before.
  }
}

/** Now: with its namespace it would go a moment later. */
function removeLink(name: string): void {
  try {
    execFileSync("ip", ["link", "delete", name], { stdio: "pipe" });
  } catch {
    // Never made, or removed before.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Ended by itself.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
