/** One line for one stage, as wide as the terminal allows: the least important part goes first when it is narrow. */

import type { Look } from "./look.ts";
import { formatCount, formatRate, formatRemaining, formatSeconds, isRateWorthShowing } from "./quantity.ts";
import type { StageReading } from "./stage-meter.ts";

const barCellsMin = 8;
const barCellsMax = 30;
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

export function renderBar(stage: StageReading, nameWidth: number, columns: number, look: Look): string {
  const name = stage.name.padEnd(nameWidth);
  if (stage.state === "waiting") return fit(`  ${name}  waiting`, columns);
  const parts = [
    `${formatCount(stage.done)}/${formatCount(stage.tasks)} ${stage.tasks === 1 ? "task" : "tasks"}`,
    ...(isRateWorthShowing(stage.bytesPerSecond) ? [formatRate(stage.bytesPerSecond)] : []),
    ...(stage.state === "done" && stage.elapsedSeconds > 0 ? [formatSeconds(stage.elapsedSeconds)] : []),
    ...(stage.remainingSeconds !== null ? [formatRemaining(stage.remainingSeconds)] : []),
    ...(stage.failed > 0 ? [`${formatCount(stage.failed)} failed`] : []),
  ];
  const percent = `${String(Math.floor(stage.fraction * 100)).padStart(3)}%`;
  for (;;) {
    const head = `  ${name}  `;
    const tail = `  ${[percent, ...parts].join("  ")}`;
    const room = columns - head.length - tail.length;
    if (room >= barCellsMin) return head + drawBar(stage, Math.min(barCellsMax, room), look) + tail;
    if (parts.length === 0) return fit(`  ${name} ${percent}`, columns);
    parts.pop();
  }
}

/** A bar alone, of what is no stage; nothing where there is no room for one. */
export function barOf(fraction: number, room: number, look: Look): string {
  if (room < barCellsMin) return "";
  return drawBar({ fraction, failed: 0, state: fraction < 1 ? "running" : "done" }, Math.min(barCellsMax, room), look);
}

function drawBar(stage: Pick<StageReading, "fraction" | "failed" | "state">, cells: number, look: Look): string {
  const colour = stage.failed > 0 ? "yellow" : stage.state === "done" ? "green" : "cyan";
  if (!look.unicode) {
    const full = Math.floor(stage.fraction * (cells - 2));
    return `[${look.paint(colour, "#".repeat(full))}${".".repeat(cells - 2 - full)}]`;
  }
  const steps = Math.floor(stage.fraction * cells * 8);
  const bar = "█".repeat(steps >> 3) + eighths[steps & 7];
  return look.paint(colour, bar) + look.paint("gray", "·".repeat(cells - bar.length));
}

function fit(line: string, columns: number): string {
  return line.length <= columns ? line : line.slice(0, Math.max(0, columns));
}
