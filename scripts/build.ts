/**
 * Builds what npm publishes: JavaScript and type declarations in `dist/`, without tests, and the web page's files as browsers get
 * them. `node scripts/build.ts`.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pageScript } from "../src/master/http/page-script.ts";
import { bundle } from "./bundle.ts";

const root = join(import.meta.dirname, "..");
const dist = join(root, "dist");
rmSync(dist, { recursive: true, force: true });

const tsc = join(root, "node_modules", ".bin", "tsc");
const declared = spawnSync(tsc, ["--project", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (declared.status !== 0) process.exit(declared.status ?? 1);

await bundle(root, dist);

const page = join(root, "src", "web");
const builtPage = join(dist, "web");
mkdirSync(builtPage);
for (const file of globSync("*.{html,css,svg}", { cwd: page })) copyFileSync(join(page, file), join(builtPage, file));
for (const file of globSync("*.ts", { cwd: page, exclude: ["*.test.ts"] })) {
  const script = pageScript(readFileSync(join(page, file), "utf8"));
  writeFileSync(join(builtPage, file.replace(/\.ts$/, ".js")), script);
}

for (const file of ["index.js", "index.d.ts", "fn/index.js", "fn/index.d.ts", "web/index.html", "web/job-page.js"]) {
  if (existsSync(join(dist, file))) continue;
  console.error(`build: dist/${file} is missing`);
  process.exit(1);
}
