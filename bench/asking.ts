/** Has a question asked in a stand, by a process of its own, and takes its answer. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ProcessGroups } from "./process-group.ts";
import type { Profile } from "./profile-shares.ts";
import type { Answer, Scale } from "./question.ts";
import { dataFolder, type Stand } from "./stand.ts";

interface Skip {
  readonly skipped: string;
}

export type Asked = { readonly answer: Answer } | Skip;

/** Throws when the question fails. Jobs' files lie beside the data while it runs: they need as much room as the data. */
export async function ask(groups: ProcessGroups, stand: Stand, id: string, { factor, runs }: Scale): Promise<Asked> {
  return (await run(groups, stand, [id, String(factor), String(runs)])) as Asked;
}

/** The CPU profile of the tasks of a question's job, which runs once. Throws when it fails. */
export async function askForProfile(
  groups: ProcessGroups,
  stand: Stand,
  id: string,
  { factor }: Scale,
): Promise<{ readonly profile: Profile } | Skip> {
  return (await run(groups, stand, [id, String(factor), "1", "profile"])) as { readonly profile: Profile } | Skip;
}

async function run(groups: ProcessGroups, stand: Stand, args: readonly string[]): Promise<unknown> {
  const scratch = mkdtempSync(join(dataFolder(), "scratch-"));
  try {
    const root = join(scratch, "root");
    mkdirSync(root);
    const { code, signal, stdout } = await groups.run(process.execPath, [join(stand.bench, "ask.ts"), ...args], {
      env: { ...process.env, ...settings(root), TMPDIR: scratch, NODE_OPTIONS: stand.nodeOptions },
      showsErrors: true,
    });
    if (code !== 0) throw new Error(`${args.join(" ")} failed in ${stand.name} (${code ?? signal})\n${stdout}`);
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Of whoever runs the benchmarks nothing shall leak in: neither their master nor their configuration. */
function settings(root: string): Record<string, string> {
  return { DISCO_ROOT: root, DISCO_MASTER: "", DISCO_CONFIG: "none", DISCO_TOKEN: "" };
}
