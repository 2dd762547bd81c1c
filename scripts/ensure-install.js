/*
 * Installs the dependencies when they are missing or older than the lock file: `npm start` and `npm test` need no other
 * step in a fresh clone. Plain JavaScript for Node 20: it runs before this repository's own Node 24 is there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const nodeMajorMin = 24;
const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");

if (!isInstalled()) install();
if (!hasNode()) {
  console.error(
    `Node ${nodeMajorMin} or later is needed, this is ${process.version}, and npm installed none for ` +
      `${process.platform}-${process.arch}.\nInstall Node ${nodeMajorMin}, or run \`npm ci\` without --omit=optional.`,
  );
  process.exit(1);
}

/** npm writes node_modules/.package-lock.json at the end of an installation: older than the lock file means stale. */
function isInstalled() {
  const installed = join(root, "node_modules", ".package-lock.json");
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
}

function install() {
  console.error("Installing dependencies (npm ci) …");
  // The Node that runs npm, not the one in node_modules, which npm is about to replace.
  const node = process.env.npm_node_execpath ?? process.execPath;
  const npm = process.env.npm_execpath;
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== bin);
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const options = {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, PATH: path.join(delimiter), NODE_OPTIONS: "" },
  };
  const done =
    npm === undefined || node.startsWith(join(root, "node_modules"))
      ? spawnSync("npm", args, { ...options, shell: process.platform === "win32" })
      : spawnSync(node, [npm, ...args], options);
  if (done.status === 0) return;
  console.error(`${done.stdout ?? ""}${done.stderr ?? ""}`);
  console.error(`npm ci failed${done.error === undefined ? "" : `: ${done.error.message}`}`);
  process.exit(1);
}

function hasNode() {
  return Number(process.versions.node.split(".")[0]) >= nodeMajorMin || existsSync(join(bin, "node"));
}
