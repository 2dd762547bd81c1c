/**
 * How a worker process is started: which script, with which flags and environment.
 *
 * The heap limit is three quarters of the job's memory limit: blocks and buffers live outside of V8's heap, and the process
 * itself (some 50 MB) counts as well. The limit on the whole process is watched by the worker itself.
 */
import { fileURLToPath } from "node:url";
import { packageModule } from "../package-files.ts";

export interface WorkerCommand {
  readonly script: string;
  readonly args: readonly string[];
  readonly execPath: string;
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

const mebibyte = 1024 * 1024;
const heapShare = 0.75;
/** Below this Node itself does not start. */
const heapMinMb = 24;
/** V8's own default for big heaps: larger young generations save copies of short-lived records. */
const semiSpaceMaxMb = 16;
const semiSpaceMinMb = 1;
/** Of the limit: buffered records survive many small collections; larger than this, the peak of a sort nears its limit. */
const semiSpaceShare = 32;

/** `worker/main.ts` in a checkout, `worker/main.js` when built. */
export const workerScript = fileURLToPath(packageModule("worker/main"));

export function workerCommand(options: {
  readonly memoryLimitBytes: number;
  /** Where required files lie: shared libraries are looked for there. */
  readonly libraryDir?: string;
  /** Where the process may rehearse while it is idle. */
  readonly rehearsalDir?: string;
  /** Instead of `worker/main`. */
  readonly script?: string;
}): WorkerCommand {
  const limitMb = options.memoryLimitBytes / mebibyte;
  const heapMb = Math.max(heapMinMb, Math.floor(limitMb * heapShare));
  const semiMb = Math.max(semiSpaceMinMb, Math.min(semiSpaceMaxMb, Math.floor(limitMb / semiSpaceShare)));
  const execArgv = [`--max-old-space-size=${heapMb}`, `--max-semi-space-size=${semiMb}`];
  const script = options.script ?? workerScript;
  // In a checkout our own name means our own sources.
  if (script.endsWith(".ts")) execArgv.push("--conditions=disco-source");
  const env = withoutTokens(process.env);
  if (env["NODE_OPTIONS"] !== undefined) env["NODE_OPTIONS"] = withoutInspector(env["NODE_OPTIONS"]);
  if (options.libraryDir !== undefined) {
    const rest = env["LD_LIBRARY_PATH"];
    const own = libraryPath(options.libraryDir);
    env["LD_LIBRARY_PATH"] = rest ? `${own}:${rest}` : own;
  }
  const args = options.rehearsalDir === undefined ? [] : [options.rehearsalDir];
  return { script, args, execPath: process.execPath, execArgv, env };
}

/** The loader cuts its path at colons, and names of jobs have some. Workers of such a job work in that directory anyway. */
function libraryPath(directory: string): string {
  return /[:;]/.test(directory) ? "." : directory;
}

/**
 * Jobs run code of people who may not have the rights that these stand for: `DISCO_TOKEN`, `DISCO_READ_TOKEN_FILE`, what opens the
 * engine and the journal (whose addresses may have a password in them).
 */
const secretVariable =
  /^(?:(?:DISCO|DDFS)_(?:.*_)?TOKEN(?:_.*)?|DISCO_ENGINE(?:_USER|_PASSWORD|_CREDS)?|DISCO_JOURNAL|DISCO_TLS_KEY|PGPASSWORD|PGPASSFILE)$/;

function withoutTokens(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secretVariable.test(name)));
}

/** A debugger's port belongs to the submitting process: every worker would fail to open it again. */
function withoutInspector(nodeOptions: string): string {
  return nodeOptions
    .split(/\s+/)
    .filter((word) => !/^--inspect(-brk|-wait|-port|-publish-uid)?(=|$)/.test(word))
    .join(" ");
}
