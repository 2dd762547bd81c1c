/**
 * Runs command lines one after another in one process, which starts once: what `bin/disco.js` and `bin/ddfs.js` do without the start and
 * the end. Tests fork it and send `{ program, args, env, cwd }`; each answer is `{ code, stdout, stderr }`.
 */
import { executeCommandLine } from "../../src/cli/command-line.ts";
import { buildDdfsProgram } from "../../src/cli/ddfs/program.ts";
import { buildProgram } from "../../src/cli/program.ts";

interface Request {
  readonly program: "disco" | "ddfs";
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const printed = { stdout: "", stderr: "" };
capture("stdout");
capture("stderr");

process.on("message", (request: Request) => void answer(request));

async function answer({ program, args, env, cwd }: Request): Promise<void> {
  for (const name of Object.keys(process.env)) if (!(name in env)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, env);
  process.chdir(cwd);
  process.exitCode = 0;
  printed.stdout = printed.stderr = "";
  const build = program === "ddfs" ? buildDdfsProgram : buildProgram;
  await executeCommandLine({ name: program, build: async () => build() }, args);
  process.send?.({ code: process.exitCode, signal: null, ...printed });
  process.exitCode = 0;
}

function capture(name: "stdout" | "stderr"): void {
  process[name].write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    printed[name] += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
    const done = rest.at(-1);
    if (typeof done === "function") process.nextTick(done as () => void);
    return true;
  };
}
