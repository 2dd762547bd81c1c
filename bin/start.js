/*
 * Starts a command. Plain JavaScript that every Node since 12.20 can parse, so that an old one gets a sentence instead of
 * a syntax error. Disco itself needs Node 24: where the shell's Node is older, the one that npm installed next to this
 * package (an optional dependency) runs the command in its place.
 */
const nodeMajorMin = 24;

export function start(command) {
  const major = Number(process.versions.node.split(".")[0]);
  const started = major >= nodeMajorMin ? run(command) : rerunByBundledNode();
  started.catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}

async function run(command) {
  const { enableCompileCache } = await import("node:module");
  enableCompileCache();
  const { existsSync } = await import("node:fs");
  // A checkout runs from its source; the package that npm publishes has only the build.
  const source = new URL(`../src/cli/${command}.ts`, import.meta.url);
  const built = new URL(`../dist/cli/${command}.js`, import.meta.url);
  const { main } = await import((existsSync(source) ? source : built).href);
  await main(process.argv.slice(2));
}

async function rerunByBundledNode() {
  const { createRequire } = await import("node:module");
  const file = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  let node;
  try {
    node = createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/${file}`);
  } catch {
    console.error(
      `disco: Node ${nodeMajorMin} or later is needed, this is ${process.version}.\n` +
        "  Install it (https://nodejs.org), or reinstall this package without --omit=optional, which brings one along.",
    );
    process.exitCode = 2;
    return;
  }
  const { spawn } = await import("node:child_process");
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // Ctrl-C reaches the child by itself: it decides. A signal that is sent to this process alone is passed on.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`disco: cannot run ${node}: ${error.message}`);
    process.exitCode = 2;
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}
