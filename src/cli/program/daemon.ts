/** Commands of the daemon: to start and stop it, to look at its settings, and to find out what is wrong. */
import type { Command } from "commander";
import { parseCount } from "./option-values.ts";
import { addSettings, configOption } from "./setting-options.ts";
import { withExamples } from "./shared-options.ts";

const stopTimeoutSeconds = 30;

export function addDaemonCommands(program: Command): void {
  addStart(program);
  addStop(program);
  addStatus(program);
  addRestart(program);
  addConfig(program);
  addDoctor(program);
  addToken(program);
}

function addStart(program: Command): void {
  const command = program
    .command("start")
    .summary("start the daemon: a master and its node, in the background")
    .description(
      "Starts a daemon (a master, and a node with its worker processes) that stays when this command ends, and waits until it " +
        "takes jobs. Unfinished jobs of a daemon that ran before on the same root go on.",
    );
  addSettings(command, ["both", "daemon"])
    .option(
      "--foreground",
      "be the daemon, until Ctrl-C or SIGTERM: for supervisors such as systemd, and for looking at it",
    )
    .option(...json)
    .addHelpText("after", startNotes)
    .action(async (options) => {
      const { start } = await import("../daemon/start.ts");
      process.exitCode = await start(options);
    });
}

function addStop(program: Command): void {
  const command = program
    .command("stop")
    .summary("stop the daemon; jobs go on at the next start")
    .description(
      "Stops the daemon: it takes no more jobs, ends its workers and its journal in order, and leaves. Unfinished jobs go on " +
        "at the next start.",
    );
  addStopOptions(command)
    .option(...root)
    .option(...configOption)
    .option(...json);
  withExamples(command, "disco stop").action(async (options) => {
    const { stop } = await import("../daemon/stop.ts");
    process.exitCode = await stop(options);
  });
}

function addStatus(program: Command): void {
  const command = program
    .command("status")
    .summary("say whether the daemon runs, and how it is")
    .description(
      "Says whether the daemon runs, where, since when, and how it is: its jobs, its nodes, what is wrong. Where none runs and a " +
        "master is set (DISCO_MASTER), how that is. Exit status 0: it runs, 3: it does not.",
    )
    .option(...root)
    .option(...configOption)
    .option(...json);
  withExamples(command, "disco status", "disco status --json | jq -r .url").action(async (options) => {
    const { status } = await import("../daemon/status.ts");
    process.exitCode = await status(options);
  });
}

function addRestart(program: Command): void {
  const command = program
    .command("restart")
    .summary("stop the daemon and start it again")
    .description(
      "Stops the daemon, if it runs, and starts it with the options that it had, apart from those that are given now. " +
        "Environment and disco.toml are read again.",
    );
  addStopOptions(addSettings(command, ["both", "daemon"])).option(...json);
  withExamples(command, "disco restart", "disco restart --workers 8").action(async (options) => {
    const { restart } = await import("../daemon/restart.ts");
    process.exitCode = await restart(options);
  });
}

function addConfig(program: Command): void {
  const command = program
    .command("config")
    .summary("show all settings, their values, and where these come from")
    .description(
      "Shows all settings, their values, and where each comes from: a flag, the environment, disco.toml, or its default.",
    );
  addSettings(command, ["both", "daemon", "client", "cluster"]).option(...json);
  withExamples(command, "disco config", "disco config --port 9000").action(async (options) => {
    const { showConfig } = await import("../daemon/config.ts");
    process.exitCode = showConfig(options);
  });
}

function addDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .summary("look at all that could be wrong, and say what to do")
    .description(
      "Looks at all that could be wrong (ports, disk, clock, versions, token, limits), and says what to do. Exit status 1: " +
        "something is.",
    );
  addSettings(command, ["both", "daemon", "client", "cluster"]).option(...json);
  withExamples(command, "disco doctor").action(async (options) => {
    const { doctor } = await import("../daemon/doctor.ts");
    process.exitCode = await doctor(options);
  });
}

function addToken(program: Command): void {
  const token = program
    .command("token")
    .summary("make tokens, which say who may do what")
    .description("Tokens say who may do what at a master that other machines reach.");
  withExamples(token, "disco token new ~/.config/disco/token");
  const command = token
    .command("new")
    .summary("make a random token")
    .description("Makes a random token, and prints it or writes it to a file that nobody else can read.")
    .argument("[file]", "where to write it; without one it is printed")
    .option(...json);
  withExamples(command, "disco token new ~/.config/disco/token").action(async (file: string | undefined, options) => {
    const { makeToken } = await import("../daemon/token.ts");
    process.exitCode = makeToken(file, options);
  });
}

const json = ["--json", "print JSON"] as const;
const root = ["--root <folder>", "the daemon's root (default: $DISCO_ROOT or ~/.local/share/disco)"] as const;

function addStopOptions(command: Command): Command {
  return command
    .option("--timeout <seconds>", "how long to wait until it has stopped", parseCount, stopTimeoutSeconds)
    .option("--force", "then end it with SIGKILL; also when it does not answer");
}

const startNotes = `
Settings may also stand in the environment or in disco.toml; \`disco config\` shows what holds.
An address that other machines reach (--host) needs a token: \`disco token new\`.

Examples:
  $ disco start
  $ disco start --workers 4 --gc-after 7d
  $ disco start --host 0.0.0.0 --token-file ~/.config/disco/token

Exit status: 0 it runs (or ran already), 1 it could not be started, 2 wrong settings.
`;
