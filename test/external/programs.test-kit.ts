/** For tests of external programs: builds them, and says what is missing where that cannot be. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
const compiler = ["cc", "gcc", "clang"].find(runs);

/** For `skip`: why C cannot be compiled here, or `false`. */
export const noCompiler: string | false = compiler === undefined && "there is no C compiler here";
/** As above, of programs in Python and Rust. */
export const noPython: string | false = !runs("python3") && "there is no python3 here";
export const noRust: string | false = !runs("rustc") && "there is no rustc here";

/** Everything that a compiler can complain of is an error. */
const strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O2"];

/** A folder for programs. */
export class Programs {
  readonly folder = mkdtempSync(join(tmpdir(), "disco-external-"));

  /** Compiles sources, as paths from the root of the repository; returns the program. */
  c(name: string, ...sources: readonly string[]): string {
    const file = join(this.folder, name);
    run(compiler ?? "cc", [...strict, "-I", "ext", "-o", file, ...sources]);
    return file;
  }

  /** A shared library of a source text; returns its file. */
  library(name: string, source: string): string {
    const file = join(this.folder, `lib${name}.so`);
    writeFileSync(join(this.folder, `${name}.c`), source);
    run(compiler ?? "cc", [...strict, "-shared", "-fPIC", "-o", file, join(this.folder, `${name}.c`)]);
    return file;
  }

  rust(name: string, source: string): string {
    const file = join(this.folder, name);
    run("rustc", ["-O", "-D", "warnings", "-o", file, source]);
    return file;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function runs(command: string): boolean {
  return spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
}
