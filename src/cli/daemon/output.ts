/** What the commands of the daemon print: lines for people, or one JSON document. */
export interface OutputOptions {
  readonly json?: boolean;
}

/** Keys may be added to the document; none changes its meaning while `version` is 1. */
export function print(
  { json }: OutputOptions,
  document: Readonly<Record<string, unknown>>,
  lines: readonly string[],
): void {
  if (json === true) process.stdout.write(`${JSON.stringify({ version: 1, ...document }, null, 2)}\n`);
  else for (const line of lines) process.stdout.write(`${line}\n`);
}

/** `name  value`, aligned and indented. */
export function details(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}
