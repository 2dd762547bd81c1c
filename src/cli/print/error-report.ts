/**
 * What a person (or a program, with `--json`) is told about an error: the message, the place in *their* source with a
 * few lines around it, and the next thing to try. Frames of Disco's and Node's own code are left out; `DISCO_DEBUG=1`
 * prints everything.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { DiscoError, JobError } from "../../errors.ts";
import { packageFolder } from "../../package-files.ts";
import type { Look } from "../progress/look.ts";
import { codeFrame } from "./code-frame.ts";

/** The shape of `error` in the JSON output: a part of the documented schema. */
export interface ErrorReport {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly job: string | null;
  readonly task: string | null;
  readonly node: string | null;
  readonly url: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly frame: string | null;
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What to try where Node refuses the module itself: its own messages leave that open. */
const hints: Readonly<Record<string, string>> = {
  ERR_MODULE_NOT_FOUND: "Install it with npm in the folder of the job, or correct the path, which needs its extension.",
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING:
    "Node runs no TypeScript below node_modules: copy the file, and what it reads, into a folder of your own.",
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX:
    "Node runs TypeScript by erasing its types: write a const object for an enum, and properties out in full.",
};

/** Starts the command. */
const binFolder = new URL("../bin/", packageFolder).href;

export function reportError(error: unknown): ErrorReport {
  const failure = error instanceof JobError ? error.failure : undefined;
  const known = error instanceof DiscoError ? error : undefined;
  const place = failure !== undefined ? failure.location : placeOf(error);
  const frame = failure?.frame ?? frameAt(place);
  const message = error instanceof Error ? error.message : String(error);
  return {
    name: error instanceof Error ? error.name : "Error",
    code: known?.code ?? codeOf(error),
    message: frame === null ? message : withoutFrame(message, frame),
    hint: known?.hint ?? failure?.hint ?? hints[codeOf(error)] ?? null,
    job: known?.job ?? null,
    task: known?.task ?? null,
    node: known?.node ?? null,
    url: known?.url ?? failure?.url ?? null,
    file: place?.file ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
    frame,
  };
}

/** Several lines, the last without its end. */
export function formatError(error: unknown, look: Look): string {
  if (process.env["DISCO_DEBUG"] === "1" && error instanceof Error) return error.stack ?? error.message;
  const report = reportError(error);
  const kind = error instanceof DiscoError ? "error" : report.name;
  const lines = [`${look.paint(["bold", "red"], `${kind}:`)} ${saidOnce(report.message, error)}`];
  const place = report.file === null ? null : `${report.file}:${report.line}:${report.column}`;
  if (place !== null && !report.message.includes(`${report.file}:${report.line}`)) lines.push(`  at ${place}`);
  if (report.frame !== null) lines.push("", ...report.frame.split("\n").map((line) => paintFrame(line, look)), "");
  if (report.hint !== null && !report.message.includes(report.hint)) {
    lines.push(`${look.paint("cyan", "hint:")} ${report.hint}`);
  }
  return lines.join("\n").trimEnd();
}

export function paintFrame(line: string, look: Look): string {
  if (line.startsWith(">")) return `  ${look.paint("bold", line)}`;
  return `  ${look.paint(/^\s*\|\s*\^/.test(line) ? "red" : "gray", line)}`;
}

/** A dead job's message begins with the reason, which quotes the error that comes after it: people read it once. */
function saidOnce(message: string, error: unknown): string {
  const failure = error instanceof JobError ? error.failure : undefined;
  const said = failure?.message.trimEnd() ?? message.split("\n")[1] ?? "";
  if (said === "") return message;
  const again = [`\n${failure?.name}: ${said}`, `\n${said}`].find((text) => message.includes(text));
  const at = again === undefined ? -1 : message.lastIndexOf(again);
  if (again === undefined || !message.slice(0, at).includes(said)) return message;
  return `${message.slice(0, at)}${message.slice(at + again.length).replace(/^\n+(?=\n)/, "")}`;
}

/** The message of a `JobError` may show the frame already: a report shows it once. */
function withoutFrame(message: string, frame: string): string {
  const at = message.indexOf(frame);
  return at < 0 ? message : `${message.slice(0, at).trimEnd()}${message.slice(at + frame.length)}`.trimEnd();
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : "error";
}

/** The first frame of the stack that is neither Node's nor ours; for a syntax error, the line above the stack. */
function placeOf(error: unknown): Place | undefined {
  if (!(error instanceof Error) || error.stack === undefined || error instanceof DiscoError) return undefined;
  const lines = error.stack.split("\n");
  for (const [at, line] of lines.entries()) {
    // What stands before the path tells `node:internal/…` from a folder of that name.
    const found = /(?<=^|[\s(])((?:file:\/\/)?\/[^()]*?):(\d+)(?::(\d+))?\)?$/.exec(line.trimEnd());
    if (found?.[1] === undefined || found[1].includes("/node_modules/")) continue;
    if (found[1].startsWith(packageFolder) || found[1].startsWith(binFolder)) continue;
    const file = found[1].startsWith("file:") ? fileURLToPath(found[1].replace(/[?#].*$/, "")) : found[1];
    if (packageFolder.includes(file) || file.startsWith(fileURLToPath(packageFolder))) continue;
    return { file, line: Number(found[2]), column: Number(found[3] ?? markedColumn(lines.slice(at + 1))) };
  }
  return undefined;
}

/** Of a syntax error: below the lines of source, a caret stands under the column, or nothing does where the file ends too early. */
function markedColumn(lines: readonly string[]): number {
  const source = lines.slice(
    0,
    Math.max(
      0,
      lines.findIndex((line) => line.trim() === ""),
    ),
  );
  const last = source.at(-1) ?? "";
  return (/^\s*\^+$/.test(last.trimEnd()) ? last.indexOf("^") : last.length) + 1;
}

function frameAt(place: Place | undefined): string | null {
  if (place === undefined) return null;
  try {
    return codeFrame(readFileSync(place.file, "utf8"), place.line, place.column) || null;
  } catch {
    return null;
  }
}
