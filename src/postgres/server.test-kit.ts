/**
 * A PostgreSQL of its own for a test: in a temporary directory, on a free port of loopback, with its usual care for disks.
 * Where the programs are missing, tests skip with the reason.
 */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdtempSync } from "node:fs";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { killAtExit } from "../child-process.test-kit.ts";
import { parsePostgresUrl } from "./address.ts";
import { PostgresConnection } from "./connection.ts";

const programs = ["initdb", "postgres"];
const startPatienceMs = 30_000;

function programDirectory(): string | null {
  const found = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    ...globSync("/usr/lib/postgresql/*/bin").sort().reverse(),
  ];
  return found.find((path) => programs.every((program) => existsSync(join(path, program)))) ?? null;
}

/** Why there is no PostgreSQL here; `null` when there is one. */
export function whyNoPostgres(): string | null {
  if (programDirectory() === null) return "PostgreSQL (initdb, postgres) is not installed";
  return isRoot() && unprivileged() === null ? "PostgreSQL does not run as root, and there is no other user" : null;
}

export class PostgresServer {
  readonly #directory: string;
  readonly #port: number;
  #child: ChildProcess | null = null;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.#port = port;
  }

  /** `settings`: lines of `postgresql.conf`. */
  static async start(settings: readonly string[] = []): Promise<PostgresServer> {
    const directory = mkdtempSync(join(tmpdir(), "disco-postgres-"));
    const user = isRoot() ? unprivileged() : null;
    if (user !== null) chownSync(directory, user.uid, user.gid);
    const data = join(directory, "data");
    // `--no-sync` is about the making of the directory only.
    execFileSync(
      join(programDirectory() ?? "", "initdb"),
      ["-D", data, "-U", "disco", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
      { stdio: ["ignore", "ignore", "pipe"], cwd: directory, ...user },
    );
    const lines = ["shared_buffers = 16MB", "max_connections = 50", ...settings];
    await appendFile(join(data, "postgresql.conf"), `${lines.join("\n")}\n`);
    const server = new PostgresServer(directory, await freePort());
    await server.restart();
    return server;
  }

  get url(): string {
    return `postgres://disco@127.0.0.1:${this.#port}/postgres?sslmode=disable`;
  }

  get dataDirectory(): string {
    return join(this.#directory, "data");
  }

  /** Starts it, and resolves when it takes statements. */
  async restart(): Promise<void> {
    const user = isRoot() ? unprivileged() : null;
    const child = spawn(
      join(programDirectory() ?? "", "postgres"),
      ["-D", this.dataDirectory, "-h", "127.0.0.1", "-p", String(this.#port), "-k", this.#directory],
      { stdio: ["ignore", "ignore", "pipe"], cwd: this.#directory, ...user },
    );
    killAtExit(child);
    this.#child = child;
    let said = "";
    child.stderr.on("data", (chunk) => (said += String(chunk)));
    for (const end = Date.now() + startPatienceMs; ; await delay(20)) {
      assert.ok(child.exitCode === null && Date.now() < end, `PostgreSQL does not start: ${said}`);
      const connection = new PostgresConnection(parsePostgresUrl(this.url), startPatienceMs);
      try {
        await connection.query({ text: "SELECT 1" });
        return;
      } catch (error) {
        // A standby takes statements, and is refused all the same.
        if ((error as { code?: string }).code === "postgres-standby") return;
      } finally {
        await connection.close();
      }
    }
  }

  /** All of it at once, as a power cut that leaves the disk's cache. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.pid === undefined) return;
    const gone = once(child, "close");
    // Its processes notice that the first one has died, and end.
    process.kill(child.pid, "SIGKILL");
    await gone;
    this.#child = null;
  }

  /** Gives it a certificate for 127.0.0.1, of which the file is returned; `null`: there is no openssl. */
  async certify(): Promise<string | null> {
    const key = join(this.dataDirectory, "server.key");
    const cert = join(this.dataDirectory, "server.crt");
    const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
    const subject = ["-subj", "/CN=disco-test", "-addext", "subjectAltName=IP:127.0.0.1"];
    const user = isRoot() ? unprivileged() : null;
    try {
      execFileSync("openssl", [...args, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore", ...user });
    } catch {
      return null;
    }
    await appendFile(join(this.dataDirectory, "postgresql.conf"), "ssl = on\n");
    // Read anew, as it is for new connections: those that ask before that see no TLS.
    const connection = new PostgresConnection(parsePostgresUrl(this.url), startPatienceMs);
    await connection.query({ text: "SELECT pg_reload_conf()" });
    for (;;) {
      const [row] = await connection.query<{ ssl: string }>({ text: "SHOW ssl" });
      if (row?.ssl === "on") break;
    }
    await connection.close();
    return cert;
  }

  /** As one that repeats what another server does. */
  async restartAsStandby(): Promise<void> {
    await this.kill();
    await writeFile(join(this.dataDirectory, "standby.signal"), "");
    await this.restart();
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== null && child.exitCode === null) {
      const gone = once(child, "close");
      child.kill("SIGQUIT");
      await gone;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function unprivileged(): { uid: number; gid: number } | null {
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string): number =>
        Number(execFileSync("id", [flag, name], { encoding: "utf8", stdio: "pipe" }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // No such user: the next one.
    }
  }
  return null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  server.close();
  await once(server, "close");
  return address.port;
}
