/** `disco jobpack inspect FILE`: what is in a job pack, and what is wrong with it. Returns the exit code. */
import { readPackFile } from "../../client/packs/decode.ts";
import type { DiscoJob } from "../../protocol/jobpack-dict.ts";
import { inspectJobPack, type PackInspection, type PackProblem } from "../../protocol/jobpack-inspection.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatColumns, widthOf } from "../print/columns.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { lookOf } from "../progress/look.ts";
import { formatBytes, groupDigits } from "../progress/quantity.ts";
import { entryLines, printable } from "./jobdict.ts";

const problemsShownMax = 20;

export async function inspectPack(file: string, { json }: { readonly json?: boolean }): Promise<number> {
  const found = inspectJobPack(await readPackFile(file));
  if (json === true) printJson({ file, ...reportOf(found) });
  else printLines([file, ...linesOf(found)]);
  return found.problems.length === 0 ? exitCodes.ok : exitCodes.failed;
}

/** The shape of the JSON document. Sizes and places in bytes; `mode` as in `755`, `null` where the pack does not say. */
function reportOf({ size, version, parts, jobdict, jobenvs, files, problems }: PackInspection): object {
  return {
    ok: problems.length === 0,
    size,
    version,
    parts,
    jobdict,
    jobenvs,
    files:
      files?.map(({ name, mode, size: bytes, storedSize }) => ({
        name,
        mode: modeText(mode),
        size: bytes,
        storedSize,
      })) ?? null,
    problems,
  };
}

function linesOf({ size, version, parts, jobdict, job, jobenvs, files, problems }: PackInspection): string[] {
  const look = lookOf(process.stdout);
  const table = (columns: Parameters<typeof formatColumns>[0], rows: Parameters<typeof formatColumns>[1]): string[] =>
    formatColumns(columns, rows, widthOf(process.stdout), look).map((line) => `  ${line}`);
  const lines = [`  ${version === null ? "no job pack" : `version ${version}`}, ${groupDigits(size)} bytes`];
  if (parts.length > 0) {
    const columns = [
      { title: "part" },
      { title: "at byte", align: "right" },
      { title: "bytes", align: "right" },
    ] as const;
    lines.push(
      "",
      ...table(
        columns,
        parts.map((part) => [part.name, groupDigits(part.at), groupDigits(part.bytes)]),
      ),
    );
  }
  if (job !== null) lines.push("", "jobdict", ...summaryOf(job));
  else if (jobdict !== null) lines.push("", "jobdict", ...entries(jobdict));
  if (jobenvs !== null && Object.keys(jobenvs).length > 0) lines.push("", "jobenvs", ...entries(jobenvs));
  if (files !== null && files.length > 0) {
    const columns = [{ title: "mode", align: "right" }, { title: "bytes", align: "right" }, { title: "file" }] as const;
    const rows = files.map((entry) => [modeText(entry.mode) ?? "-", groupDigits(entry.size), printable(entry.name)]);
    const bytes = files.reduce((sum, one) => sum + one.size, 0);
    lines.push("", `jobhome  ${counted(files.length, "file")}, ${formatBytes(bytes)}`, ...table(columns, rows));
  }
  if (problems.length > 0) lines.push("", counted(problems.length, "problem"), ...problemLines(problems));
  return lines;
}

function summaryOf({
  prefix,
  owner,
  worker,
  pipeline,
  inputs,
  maxCores,
  forceLocal,
  forceRemote,
  saveResults,
}: DiscoJob) {
  return entries({
    prefix,
    owner,
    worker,
    ...(maxCores < 2 ** 31 ? { max_cores: maxCores } : {}),
    ...(forceLocal ? { force_local: true } : {}),
    ...(forceRemote ? { force_remote: true } : {}),
    ...(saveResults ? { save_results: true } : {}),
    pipeline: pipeline.map(({ name, grouping, concurrent }) => `${name} ${grouping}${concurrent ? " concurrent" : ""}`),
    inputs: inputs.map(({ label, size, replicas }) => {
      const known = [...(label === 0 ? [] : [`label ${label}`]), ...(size === 0 ? [] : [`${size} bytes`])];
      return `${replicas.join(" or ")}${known.length === 0 ? "" : ` (${known.join(", ")})`}`;
    }),
  });
}

function entries(dict: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(dict).flatMap(([key, value]) => entryLines(key, value));
}

function problemLines(problems: readonly PackProblem[]): string[] {
  const rest = problems.length - problemsShownMax;
  return [
    ...problems
      .slice(0, problemsShownMax)
      .map(({ part, at, message }) => `  ${part}, at byte ${at}: ${printable(message)}`),
    ...(rest > 0 ? [`  and ${rest} more (--json shows all)`] : []),
  ];
}

function modeText(mode: number): string | null {
  return mode === 0 ? null : mode.toString(8);
}

function counted(n: number, what: string): string {
  return `${groupDigits(n)} ${what}${n === 1 ? "" : "s"}`;
}
