/**
 * How V8 shall manage a master's memory. It must be told before the process has a heap: in the background the starter gives the
 * flags, and `disco start --foreground` takes the place of itself once, with the same process id, arguments and output.
 */

/**
 * The master makes many small objects that live for one request or event. V8 gives a process so much room for them only where
 * it sees much memory. Whether the least that it has costs processor time could not be told from noise. A daemon takes 187 MB
 * for a job of 50,000 tasks with this limit, and 210 to 280 MB without one, as collections happen to fall.
 */
export const masterFlags: readonly string[] = ["--max-semi-space-size=8"];

const flagPattern = /--max[-_]semi[-_]space[-_]size/;

interface Start {
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly argv: readonly string[];
  readonly nodeOptions: string | undefined;
}

/** The command line of the same program with the flags; `null` where it has them, or its user chose others. */
export function withMasterFlags({ execPath, execArgv, argv, nodeOptions = "" }: Start): string[] | null {
  if (flagPattern.test([...execArgv, nodeOptions].join(" "))) return null;
  return [execPath, ...execArgv, ...masterFlags, ...argv.slice(1)];
}

/** Does not return when the process has become another one; one that has to talk to its parent, or cannot, stays as it is. */
export function becomeMaster(): void {
  const { execPath, execArgv, argv, env } = process;
  const command = withMasterFlags({ execPath, execArgv, argv, nodeOptions: env["NODE_OPTIONS"] });
  // A channel to the parent would not outlive it.
  if (command === null || process.send !== undefined) return;
  try {
    process.execve?.(execPath, command, env as Record<string, string>);
  } catch {
    // Not on this system, or not allowed: the daemon needs more memory, and nothing else.
  }
}
