/** Options that many commands have, and the form of their help. */
import type { Command } from "commander";

/** `--master`, `--root`, `--config`, `--json`: every command that looks at a master has them. */
export function withMaster(command: Command, json = "print JSON"): Command {
  return command
    .option("--master <address>", "the master to ask: disco://host[:port], http(s)://…, or `local`")
    .option("--root <folder>", "where jobs and results are stored (default: $DISCO_ROOT or ~/.local/share/disco)")
    .option("--config <file>", "the disco.toml to read, or `none`")
    .option("--json", json);
}

/** Lines below the options. */
export function withExamples(command: Command, ...lines: readonly string[]): Command {
  const title = lines.length === 1 ? "Example" : "Examples";
  return command.addHelpText("after", `\n${title}:\n${lines.map((line) => `  $ ${line}\n`).join("")}`);
}

export const statuses = ["active", "ready", "dead"] as const;
