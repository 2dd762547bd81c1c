/**
 * A server of NATS for a cluster on one machine: on loopback, at a port that is free, with a password that is made for each start. Its
 * journal stays below the root: jobs go on at the next start.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DiscoError } from "../../errors.ts";
import { isOlder, oldestServer } from "../../nats/version.ts";
import { makeDirectory } from "../../root-directory.ts";
import { newToken } from "../../settings/token.ts";
import { commandLineOf, ended, isAlive } from "../daemon/process.ts";
import { Child } from "./child.ts";

const command = "nats-server";
const user = "disco";
const privateMode = 0o600;
const orphanPatienceMs = 10_000;

export interface LocalNats {
  readonly child: Child;
  /** For `DISCO_ENGINE`. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

/** Version of the server on the path. @throws DiscoError `no-nats-server` */
export function natsVersion(): string {
  const { error, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  if (error === undefined) return /v?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? "0";
  throw new DiscoError(`${command} is not on the path: a cluster stands on it`, {
    code: "no-nats-server",
    cause: error,
    hint:
      "Install it (apt install nats-server, brew install nats-server, or https://github.com/nats-io/nats-server/releases), or name " +
      "one that runs with JetStream: --engine nats://host:4222. For one machine alone there is `disco start`, which needs none.",
  });
}

/** What is to be said of a version; `null`: nothing. */
export function remarkOn(version: string): string | null {
  if (!isOlder(version, oldestServer)) return null;
  return (
    `${command} ${version} is older than ${oldestServer}, the oldest that is supported. It is taken here, as with ` +
    "--allow-old-engine; a cluster of several machines needs a newer one."
  );
}

/** Starts it in a folder that nobody else uses now. */
export async function startNats(
  folder: string,
  line: (text: string) => void,
  started: (child: Child) => void,
): Promise<LocalNats> {
  await makeDirectory(folder, 0o700);
  const [file, pidFile] = [join(folder, "nats.conf"), join(folder, "nats.pid")];
  await endOrphan(pidFile, file);
  const password = newToken();
  const lines = [
    'host: "127.0.0.1"',
    "port: -1",
    `pid_file: ${JSON.stringify(pidFile)}`,
    `jetstream { store_dir: ${JSON.stringify(join(folder, "store"))} }`,
    `authorization { user: ${user}, password: ${JSON.stringify(password)} }`,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: privateMode });
  const child = new Child({
    name: "nats",
    command,
    args: ["-c", file],
    env: process.env,
    // It is random, for one start, and nobody else can read the file.
    line: (text) => (/Plaintext passwords detected/.test(text) ? undefined : line(text)),
  });
  started(child);
  let port = "";
  await child.said((text) => {
    port = /Listening for client connections on \S+:(\d+)/.exec(text)?.[1] ?? port;
    return /Server is ready/.test(text) ? true : null;
  });
  return { child, url: `nats://127.0.0.1:${port}`, user, password };
}

/** One that outlived the process that started it writes where the next one would. */
async function endOrphan(pidFile: string, configuration: string): Promise<void> {
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile, "utf8"));
  } catch {
    return;
  }
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isAlive(pid) || !commandLineOf(pid).includes(configuration)) return;
  process.kill(pid, "SIGTERM");
  if (!(await ended(pid, orphanPatienceMs))) process.kill(pid, "SIGKILL");
}
