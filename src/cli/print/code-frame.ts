/** A few lines of source around a place, with a marker: what an editor would show. Plain text. */
const linesAround = 2;

export function codeFrame(source: string, line: number, column: number): string {
  const lines = source.split(/\r?\n/);
  if (line < 1 || line > lines.length) return "";
  const from = Math.max(1, line - linesAround);
  const to = Math.min(lines.length, line + linesAround);
  const width = String(to).length;
  const frame: string[] = [];
  for (let n = from; n <= to; n++) {
    const marker = n === line ? ">" : " ";
    frame.push(`${marker} ${String(n).padStart(width)} | ${lines[n - 1]}`.trimEnd());
    if (n === line) frame.push(`  ${" ".repeat(width)} | ${" ".repeat(Math.max(0, column - 1))}^`);
  }
  return frame.join("\n");
}
