/**
 * A real S3 server of its own for tests: Ceph's `radosgw` over a cluster of one monitor and one store in memory, on free ports of
 * loopback, in a temporary directory. It takes about two seconds. Where the programs are missing, tests skip with the reason.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { killAtExit } from "../child-process.test-kit.ts";
import { type ConnectionParts, S3Connection } from "./connection.ts";

const run = promisify(execFile);
const programs = ["ceph-mon", "ceph-osd", "ceph", "monmaptool", "radosgw", "radosgw-admin"];
const startPatienceMs = 60_000;
const storeBytes = 4 * 2 ** 30;

/** Why there is no radosgw here; `null` when there is one. */
export function whyNoRadosgw(): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const missing = programs.filter((program) => !folders.some((folder) => existsSync(join(folder, program))));
  return missing.length === 0 ? null : `radosgw is not installed (${missing.join(", ")})`;
}

export interface TestAccount {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export class Radosgw implements AsyncDisposable {
  readonly #directory: string;
  readonly #children: ChildProcess[] = [];
  readonly account: TestAccount = { accessKeyId: "DISCOTESTKEY", secretAccessKey: randomUUID() };
  endpoint = "";

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(): Promise<Radosgw> {
    const server = new Radosgw(mkdtempSync(join(tmpdir(), "disco-radosgw-")));
    try {
      await server.#start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What a process needs in order to use it. */
  environment(endpoint = this.endpoint): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: this.account.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.account.secretAccessKey,
      AWS_REGION: "us-east-1",
    };
  }

  /** Straight to it, or by way of `endpoint`. */
  connect(endpoint = this.endpoint, more: Partial<ConnectionParts> = {}): S3Connection {
    const credentials = { ...this.account, sessionToken: null };
    return new S3Connection({ account: { endpoint, region: "us-east-1", credentials }, ...more });
  }

  /** Returns its name. */
  async makeBucket(name: string): Promise<string> {
    const answer = await this.connect().send({ method: "PUT", bucket: name, key: "" });
    answer.drop();
    return name;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const [monitor, gateway] = [await freePort(), await freePort()];
    const cluster = randomUUID();
    const config = join(this.#directory, "ceph.conf");
    mkdirSync(join(this.#directory, "mon"));
    mkdirSync(join(this.#directory, "osd"));
    writeFileSync(config, this.#config(cluster, monitor, gateway));
    const common = ["-c", config];
    const map = join(this.#directory, "monmap");
    await run("monmaptool", ["--create", "--addv", "a", `[v2:127.0.0.1:${monitor}]`, "--fsid", cluster, map]);
    await run("ceph-mon", [...common, "-i", "a", "--mkfs", "--monmap", map]);
    this.#spawn("ceph-mon", [...common, "-i", "a", "-f"]);
    const store = randomUUID();
    await run("ceph", [...common, "osd", "new", store], { timeout: startPatienceMs });
    await run("ceph-osd", [...common, "-i", "0", "--mkfs", "--osd-uuid", store]);
    this.#spawn("ceph-osd", [...common, "-i", "0", "-f"]);
    const { accessKeyId, secretAccessKey } = this.account;
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`];
    await run("radosgw-admin", [...common, "user", "create", "--uid=disco", "--display-name=disco", ...keys], {
      timeout: startPatienceMs,
    });
    this.#spawn("radosgw", [...common, "-n", "client.rgw", "-f"]);
    this.endpoint = `http://127.0.0.1:${gateway}`;
    for (const end = Date.now() + startPatienceMs; ; await delay(50)) {
      const ended = this.#children.find(({ exitCode }) => exitCode !== null);
      if (ended !== undefined || Date.now() > end) throw new Error(`radosgw does not start: ${this.#said()}`);
      if (
        await fetch(this.endpoint).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        return;
    }
  }

  #spawn(program: string, args: readonly string[]): void {
    const child = spawn(program, args, { stdio: "ignore", cwd: this.#directory });
    killAtExit(child);
    this.#children.push(child);
  }

  #said(): string {
    const logs = ["mon.a.log", "osd.0.log", "client.rgw.log"].map((name) => join(this.#directory, name));
    return logs
      .filter((log) => existsSync(log))
      .map((log) => readFileSync(log, "utf8").split("\n").slice(-6).join("\n"))
      .join("\n");
  }

  #config(cluster: string, monitor: number, gateway: number): string {
    const at = (name: string): string => join(this.#directory, name);
    const settings: Readonly<Record<string, string | number | boolean>> = {
      fsid: cluster,
      "mon host": `[v2:127.0.0.1:${monitor}]`,
      "public addr": "127.0.0.1",
      "cluster addr": "127.0.0.1",
      "auth cluster required": "none",
      "auth service required": "none",
      "auth client required": "none",
      // Without keys nothing can be encrypted, which the gateway insists on by default.
      "ms mon client mode": "crc",
      "osd pool default size": 1,
      "osd pool default min size": 1,
      "osd pool default pg num": 1,
      "osd pool default pgp num": 1,
      "osd pool default pg autoscale mode": "off",
      "osd crush chooseleaf type": 0,
      "mon allow pool size one": true,
      "osd objectstore": "memstore",
      "memstore device bytes": storeBytes,
      "osd class load list": "*",
      "osd class default list": "*",
      // Each of the gateway's ten pools is a decision of the monitors, who take a second for one by default.
      "paxos propose interval": 0.02,
      "paxos min wait": 0.01,
      "mon data avail crit": 1,
      "mon data avail warn": 1,
      "mon data": at("mon"),
      "osd data": at("osd"),
      "run dir": this.#directory,
      "admin socket": at("$name.asok"),
      "log file": at("$name.log"),
      "pid file": at("$name.pid"),
      "mon cluster log file": at("cluster.log"),
      keyring: at("keyring"),
      "rgw frontends": `beast endpoint=127.0.0.1:${gateway}`,
      "rgw data": at("rgw"),
      "rgw run sync thread": false,
      "rgw enable gc threads": false,
      "rgw enable lc threads": false,
      "rgw enable quota threads": false,
      "rgw thread pool size": 64,
    };
    return `[global]\n${Object.entries(settings)
      .map(([name, value]) => `${name} = ${value}\n`)
      .join("")}`;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
