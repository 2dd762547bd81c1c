/**
 * Builds what npm publishes: JavaScript and type declarations in `dist/`, without tests. `node scripts/build.ts`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
rmSync(join(root, "dist"), { recursive: true, force: true });

const tsc = join(root, "node_modules", ".bin", "tsc");
const built = spawnSync(tsc, ["--project", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (built.status !== 0) process.exit(built.status ?? 1);

for (const file of ["index.js", "index.d.ts", "cli/disco.js", "cli/ddfs.js", "worker/main.js"]) {
  if (existsSync(join(root, "dist", file))) continue;
  console.error(`build: dist/${file} is missing`);
  process.exit(1);
}
