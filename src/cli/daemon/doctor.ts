/** `disco doctor`: looks at all that could be wrong, says what it found, and what to do. Changes nothing. */
import { resolveClientSettings } from "../../settings/client.ts";
import type { SettingFlags } from "../../settings/resolve.ts";
import { exitCodes } from "../exit-codes.ts";
import { type Look, lookOf } from "../progress/look.ts";
import { checkDaemon } from "./doctor/daemon.ts";
import type { Finding } from "./doctor/finding.ts";
import { checkInstallation } from "./doctor/installation.ts";
import { checkLimits } from "./doctor/limits.ts";
import { checkMaster } from "./doctor/master.ts";
import { checkRoot } from "./doctor/root.ts";
import { checkSettings } from "./doctor/settings.ts";
import { type OutputOptions, print } from "./output.ts";
import { daemonState } from "./running.ts";

/** Exit status 1 when something does not work; warnings are none. */
export async function doctor(options: OutputOptions & SettingFlags): Promise<number> {
  const { json: _, ...flags } = options;
  const findings = await examine(flags);
  const failures = findings.filter(({ state }) => state === "fail").length;
  const warnings = findings.filter(({ state }) => state === "warn").length;
  const look = lookOf(process.stdout);
  print(options, { ok: failures === 0, findings }, [
    ...findings.flatMap((finding) => linesOf(finding, look)),
    "",
    summary(failures, warnings),
  ]);
  return failures === 0 ? exitCodes.ok : exitCodes.failed;
}

async function examine(flags: SettingFlags): Promise<Finding[]> {
  const sources = { flags, env: process.env, cwd: process.cwd() };
  const { findings, daemon } = checkSettings(sources);
  const found = [...checkInstallation(), ...findings];
  if (daemon === null) return found;
  const { settings } = daemon;
  const client = clientOf(flags);
  if ("finding" in client) return [...found, client.finding];
  const state = await daemonState(settings.root);
  const isOwned = state.kind === "running" || state.kind === "silent";
  return [
    ...found,
    ...(await checkRoot(settings.root, settings.diskReserveBytes, isOwned)),
    ...checkLimits(settings.workers),
    ...(await checkDaemon(state, settings, client)),
    ...(await checkMaster(client)),
  ];
}

function clientOf(flags: SettingFlags): ReturnType<typeof resolveClientSettings> | { readonly finding: Finding } {
  try {
    return resolveClientSettings({ flags });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      finding: { check: "settings", state: "fail", message, hint: "Correct it; `disco config` shows where it stands." },
    };
  }
}

const marks = {
  ok: { unicode: "✓", ascii: "ok", style: "green" },
  warn: { unicode: "!", ascii: "!!", style: "yellow" },
  fail: { unicode: "✗", ascii: "xx", style: "red" },
} as const;

function linesOf({ state, message, hint }: Finding, look: Look): string[] {
  const { unicode, ascii, style } = marks[state];
  const mark = look.paint(style, `[${look.unicode ? unicode : ascii}]`);
  return [
    `${mark} ${message}`,
    ...(hint === null ? [] : [`${" ".repeat(look.unicode ? 4 : 5)}${look.paint("cyan", hint)}`]),
  ];
}

function summary(failures: number, warnings: number): string {
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`;
  if (failures === 0 && warnings === 0) return "Nothing is wrong.";
  if (failures === 0) return `Everything works; ${count(warnings, "warning")}.`;
  return `${count(failures, "problem")}${warnings === 0 ? "" : `, ${count(warnings, "warning")}`}.`;
}
