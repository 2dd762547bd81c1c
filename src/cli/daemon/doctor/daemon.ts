/** The daemon of the root, and its port. */
import { createServer } from "node:net";
import { packageVersion } from "../../../package-version.ts";
import { localMaster } from "../../../settings/addresses.ts";
import type { ResolvedClient } from "../../../settings/client.ts";
import type { DaemonRecord, DaemonSettings } from "../../../settings/daemon-settings.ts";
import { httpGet } from "../http-get.ts";
import { masterReport } from "../master-report.ts";
import type { DaemonState } from "../running.ts";
import { checkCluster } from "./cluster.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";
import { checkSkew } from "./skew.ts";

export async function checkDaemon(
  state: DaemonState,
  settings: Pick<DaemonSettings, "host" | "port"> | null,
  { settings: { master }, token }: ResolvedClient,
): Promise<Finding[]> {
  const isElsewhere = master !== null && master !== localMaster;
  switch (state.kind) {
    case "running":
      return checkRunning(state.record, token);
    case "silent": {
      const { pid, url } = state.record;
      const hint = "Wait until it answers, or end it: `disco stop --force`. Jobs go on at the next start.";
      return [fail("daemon", `the daemon, process ${pid}, does not answer at ${url}`, hint)];
    }
    case "stale":
    case "unreadable":
      return [
        warn("daemon", `no daemon runs, but its file is there: ${state.why}`, "`disco start` cleans up."),
        ...(settings === null ? [] : await checkPort(settings, isElsewhere)),
      ];
    case "none":
      return [ok("daemon", "no daemon runs"), ...(settings === null ? [] : await checkPort(settings, isElsewhere))];
  }
}

async function checkRunning(record: DaemonRecord, token: () => string | null): Promise<Finding[]> {
  const { pid, url, version } = record;
  const findings: Finding[] = [ok("daemon", `the daemon runs, process ${pid}, at ${url}`)];
  const own = packageVersion();
  if (version !== own) {
    const hint = "`disco restart` starts it from this package.";
    findings.push(warn("daemon-version", `the daemon is version ${version}, this command ${own}`, hint));
  }
  findings.push(...checkSkew("daemon-clock", await httpGet(new URL("/healthz", url))));
  const report = await masterReport(url, token);
  if (report.kind === "unknown") {
    findings.push(
      warn(
        "daemon-access",
        `the daemon does not say how it is: ${report.why}`,
        "Set the token that it was started with.",
      ),
    );
    return findings;
  }
  findings.push(...report.info.alarms.map(({ message, hint }) => fail("alarm", message, hint)));
  const lost = report.nodes.filter(({ connected }) => !connected);
  findings.push(
    ...lost.map(({ name }) =>
      fail("node", `node ${name} is not connected`, "Look into the log: `disco status` says where."),
    ),
  );
  return [...findings, ...checkCluster(report)];
}

/** Whether a daemon could listen there: the only way to know is to do it. */
async function checkPort(
  { host, port }: Pick<DaemonSettings, "host" | "port">,
  isElsewhere: boolean,
): Promise<Finding[]> {
  if (port === 0) return [ok("port", "a free port is taken")];
  const code = await listenOnce(host, port);
  const place = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const hint = "Choose another: --port, DISCO_PORT, or port in disco.toml.";
  switch (code) {
    case null:
      return [ok("port", `${place} is free`)];
    case "EADDRINUSE": {
      const owner = await ownerOf(place);
      // Who has set a master wants no daemon of this root; the one that has the port may well be that master.
      if (isElsewhere && owner === anotherDisco) return [ok("port", `${place} is that of ${owner}`)];
      return [fail("port", `${place} is taken by ${owner}`, hint)];
    }
    case "EACCES":
      return [fail("port", `this user may not listen at ${place}`, hint)];
    default:
      return [
        fail("port", `nobody can listen at ${place}: ${code}`, "Correct --host, DISCO_HOST, or host in disco.toml."),
      ];
  }
}

/** The code of the error; `null`: it went well. */
function listenOnce(host: string, port: number): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const server = createServer();
  server.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  return promise;
}

const anotherDisco = "a Disco daemon or master of another root";

async function ownerOf(place: string): Promise<string> {
  const reachable = place.replace(/^(?:0\.0\.0\.0|\[::\]):/, "127.0.0.1:");
  const answer = await httpGet(`http://${reachable}/healthz`);
  const body = answer.kind === "answer" ? answer.body : null;
  const isDisco = typeof body === "object" && body !== null && "instance" in body;
  return isDisco ? anotherDisco : "another program";
}
