/** What the checks found, for people. */
import type { Look } from "../progress/look.ts";
import type { CheckResult } from "./checks.ts";

export function linesOfResult({ id, title, outcome }: CheckResult, look: Look, idWidth: number): string[] {
  const head = (mark: string, style: Parameters<Look["paint"]>[0]): string =>
    `${look.paint(style, mark)} ${id.padEnd(idWidth)}  ${title}`;
  switch (outcome.kind) {
    case "ok":
      return [head(look.unicode ? "✓" : "ok  ", "green")];
    case "skipped":
      return [
        head(look.unicode ? "-" : "skip", "dim"),
        look.paint("dim", `  ${" ".repeat(idWidth)}  not checked: ${outcome.reason}`),
      ];
    case "failed":
      return [
        head(look.unicode ? "✗" : "FAIL", "red"),
        ...outcome.deviations.flatMap(({ came, expected, next }) => [
          `    came:     ${came}`,
          `    expected: ${expected}`,
          `    next:     ${next}`,
        ]),
      ];
  }
}

/** Checks that were not made for one and the same reason. */
export function linesOfSkipped(ids: readonly string[], reason: string, look: Look): string[] {
  return [
    `${look.paint("dim", look.unicode ? "-" : "skip")} ${reason}; not checked yet:`,
    ...wrapped(ids).map((line) => look.paint("dim", `    ${line}`)),
  ];
}

const lineCharsMax = 76;

function wrapped(ids: readonly string[]): string[] {
  const lines: string[] = [];
  for (const id of ids) {
    const line = lines.at(-1);
    if (line === undefined || line.length + id.length + 3 > lineCharsMax) lines.push(id);
    else lines[lines.length - 1] = `${line}, ${id}`;
  }
  return lines.map((line, i) => (i + 1 < lines.length ? `${line},` : line));
}

export function summaryOf(results: readonly CheckResult[]): string {
  const count = (kind: string): number => results.filter(({ outcome }) => outcome.kind === kind).length;
  const [failed, skipped] = [count("failed"), count("skipped")];
  const parts = [`${count("ok")} of ${results.length} checks passed`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (skipped > 0) parts.push(`${skipped} not made`);
  return parts.join(", ");
}
