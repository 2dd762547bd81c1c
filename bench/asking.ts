/** Has a question asked in a stand, by a process of its own, and takes its answer. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Profile } from "./profile-shares.ts";
import type { Answer, Scale } from "./question.ts";
import { dataFolder, type Stand } from "./stand.ts";

/** End the question that is asked; its failure ends this process, which cleans up on the way. */
const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

interface Skip {
  readonly skipped: string;
}

export type Asked = { readonly answer: Answer } | Skip;

/** Throws when the question fails. Jobs' files lie beside the data while it runs: they need as much room as the data. */
export async function ask(stand: Stand, id: string, { factor, runs }: Scale, env: Environment = {}): Promise<Asked> {
  return (await run(stand, [id, String(factor), String(runs)], env)) as Asked;
}

/** The CPU profile of the tasks of a question's job, which runs once. Throws when it fails. */
export async function askForProfile(
  stand: Stand,
  id: string,
  { factor }: Scale,
): Promise<{ readonly profile: Profile } | Skip> {
  return (await run(stand, [id, String(factor), "1", "profile"])) as { readonly profile: Profile } | Skip;
}

async function run(stand: Stand, args: readonly string[], env: Environment = {}): Promise<unknown> {
  const scratch = mkdtempSync(join(dataFolder(), "scratch-"));
  try {
    const root = join(scratch, "root");
    mkdirSync(root);
    const child = spawn(process.execPath, [join(stand.bench, "ask.ts"), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      // A group of its own: whatever it has started ends with it.
      detached: true,
      env: { ...process.env, ...settings(root), TMPDIR: scratch, NODE_OPTIONS: stand.nodeOptions, ...env },
    });
    const end = (signal: NodeJS.Signals): void => {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    };
    for (const signal of endings) process.on(signal, end);
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    for (const ending of endings) process.off(ending, end);
    if (code !== 0) throw new Error(`${args.join(" ")} failed in ${stand.name} (${code ?? signal})\n${output}`);
    return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "");
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

export type Environment = Readonly<Record<string, string>>;

/** Of whoever runs the benchmarks nothing shall leak in: neither their master nor their configuration. */
function settings(root: string): Record<string, string> {
  return { DISCO_ROOT: root, DISCO_MASTER: "", DISCO_CONFIG: "none", DISCO_TOKEN: "" };
}
