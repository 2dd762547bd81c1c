/** P8: one file to a daemon's DDFS, or from there into a file. Arguments: `push` or `pull`, the file. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DDFS } from "disco-mapreduce";

const [way = "push", file = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "disco-ddfs-"));
await using ddfs = new DDFS();
// The connection stands before the clock starts, as that of the baseline's server does.
await ddfs.list();
const started = performance.now();
if (way === "push") {
  await ddfs.push("bench", [file], { replicas: 1 });
} else {
  for await (const blob of ddfs.pull("bench")) {
    const bytes = await blob.save(join(folder, "got"));
    if (bytes !== statSync(file).size) throw new Error("not all of it came");
    break;
  }
}
const seconds = (performance.now() - started) / 1000;
rmSync(folder, { recursive: true, force: true });
console.log(JSON.stringify({ seconds }));
