/** Word count in several languages. Programs are compiled before anything is measured. */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { textFiles } from "./data.ts";
import { cpuOf, inTurn, type Measured, measure, memoryOf, secondsOf } from "./measure.ts";
import { assertSameCounts, type Report } from "./p1-p2-word-count.ts";
import { type Line, type Question, Skipped } from "./question.ts";

const textBytes = 50_000_000;
const script = join(import.meta.dirname, "jobs/languages.ts");

export const p14: Question = {
  id: "P14",
  title:
    "word count of 50 MB in 8 files without a combiner: TypeScript, C and Python as external programs, a worker in Python",
  target: "equal results",
  async run(scale) {
    const bytes = Math.floor(textBytes * scale.factor);
    const files = textFiles(bytes);
    const folder = mkdtempSync(join(tmpdir(), "disco-bench-languages-"));
    try {
      const programs = build(folder);
      const sides: readonly (readonly [what: string, args: readonly string[]])[] = [
        ["TypeScript", ["typescript"]],
        ["C, external", ["external", programs.c]],
        ["Python, external", ["external", programs.python]],
        ["Python, its own worker", ["worker", programs.worker]],
      ];
      const measured = await inTurn(
        scale.runs,
        ...sides.map(
          ([, args]) =>
            (): Promise<Measured<Report>> =>
              measure<Report>([process.execPath, script, ...args, ...files]),
        ),
      );
      const [typescript = []] = measured;
      for (const runs of measured) assertSameCounts(runs, typescript);
      const lines = sides.flatMap(([what], i): Line[] => {
        const runs = measured[i] ?? [];
        const beside = (of: typeof secondsOf): Pick<Line, "baseline"> =>
          i === 0 ? {} : { baseline: { what: "TypeScript", values: of(typescript) } };
        return [
          { name: `wall, ${what}`, unit: "s", values: secondsOf(runs), ...beside(secondsOf) },
          { name: `cpu, ${what}`, unit: "s", values: cpuOf(runs), ...beside(cpuOf) },
          { name: `throughput, ${what}`, unit: "MB/s", values: secondsOf(runs).map((s) => bytes / 1e6 / s) },
          {
            name: `words, ${what}`,
            unit: "records/s",
            values: runs.map(({ report }) => report.total / report.seconds),
          },
        ];
      });
      return { lines, memory: measured.flatMap((runs, i) => memoryOf(runs, sides[i]?.[0])) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** The examples of the package, as executables in a folder. */
function build(folder: string): { readonly c: string; readonly python: string; readonly worker: string } {
  const installed = fileURLToPath(new URL(".", import.meta.resolve("disco-mapreduce/package.json")));
  const c = join(folder, "word-count");
  const sources = [join(installed, "examples/external/word-count.c"), join(installed, "ext/disco.c")];
  if (!sources.every(existsSync)) throw new Skipped("this version has no external programs");
  const compiled = spawnSync("cc", ["-O2", "-I", join(installed, "ext"), "-o", c, ...sources]);
  if (compiled.status !== 0)
    throw new Skipped(`the C program cannot be compiled: ${compiled.error ?? compiled.stderr}`);
  const python = spawnSync("python3", ["-c", "import sys; print(sys.executable)"]);
  if (python.status !== 0) throw new Skipped("there is no python3");
  const interpreter = python.stdout.toString().trim();
  const [program, worker] = ["external/word_count.py", "workers/word_count.py"].map((path, i) => {
    const copy = join(folder, `word_count_${i}.py`);
    copyFileSync(join(installed, "examples", path), copy);
    // Its own path: what is called python3 may be a script that looks for it.
    writeFileSync(copy, readFileSync(copy, "utf8").replace(/^#!.*/, `#!${interpreter}`));
    chmodSync(copy, 0o755);
    return copy;
  });
  return { c, python: program ?? "", worker: worker ?? "" };
}
