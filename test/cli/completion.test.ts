/**
 * The scripts of `disco completion` in the shells themselves: what a person finds on the line after TAB. bash and zsh need a
 * terminal for that; zsh has one inside (`zpty`), and bash is asked by the function that it calls at TAB.
 */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { CommandPlace } from "./cli.test-kit.ts";

const run = promisify(execFile);
const bin = join(import.meta.dirname, "..", "..", "bin");
const quick = `export default { input: ["raw://a"], map: (line: string) => [[line, 1]] };`;

let place: CommandPlace;
let name = "";

before(async () => {
  place = await CommandPlace.open();
  await place.startDaemon();
  await mkdir(join(place.folder, "bin"));
  for (const program of ["disco", "ddfs"]) {
    const script = join(place.folder, "bin", program);
    await writeFile(script, `#!/bin/sh\nexec '${process.execPath}' '${join(bin, program)}.js' "$@"\n`);
    await chmod(script, 0o755);
  }
  await place.ddfs(["touch", "data:books", "other"]);
  await place.write("quick.ts", quick);
  await place.write("other.mjs", quick);
  await place.write("notes.txt", "");
  await mkdir(join(place.folder, "sub"));
  await place.out("run", "quick.ts", "--quiet");
  name = (await place.json<{ readonly name: string }[]>("jobs"))[0]?.name ?? "";
});
after(() => place.close());

async function inShell(shell: string, args: readonly string[], script: string): Promise<string> {
  const { PATH = "" } = process.env;
  const env = {
    ...process.env,
    PATH: `${join(place.folder, "bin")}:${PATH}`,
    DISCO_ROOT: place.root,
    DISCO_CONFIG: "none",
    DISCO_MASTER: "",
    NODE_OPTIONS: "",
    HOME: place.folder,
    TERM: "dumb",
  };
  const { stdout } = await run(shell, [...args, "-c", script], { cwd: place.folder, env, timeout: 60_000 });
  return stdout;
}

function missing(shell: string): string | false {
  try {
    execFileSync(shell, ["-c", "exit 0"], { stdio: "ignore" });
    return false;
  } catch {
    return `${shell} is not installed`;
  }
}

/** What is on offer, for a line with the cursor at its end, without descriptions. */
type Offer = (line: string) => Promise<string[]>;

function offersWhatIsThere(offer: Offer): void {
  test("commands and options", async () => {
    assert.deepEqual((await offer("disco jo")).sort(), ["job", "jobdict", "jobpack", "jobs"]);
    assert.deepEqual(await offer("disco oob "), ["list", "get", "help"]);
    assert.deepEqual(await offer("disco jobs --st"), ["--status"]);
    assert.deepEqual(await offer("disco jobs --status "), ["active", "ready", "dead"]);
  });

  test("modules and folders for a job, any files for its inputs", async () => {
    assert.deepEqual((await offer("disco run ")).map(bare).sort(), ["bin", "other.mjs", "quick.ts", "root", "sub"]);
    assert.deepEqual((await offer("disco run quick.ts no")).map(bare), ["notes.txt"]);
  });

  test("commands and tags of ddfs", async () => {
    assert.deepEqual(await offer("ddfs sta"), ["stat"]);
    assert.deepEqual(await offer("ddfs rm other da"), ["data:books"]);
  });

  test("names of nodes", async () => {
    assert.deepEqual(await offer("disco blacklist lo"), ["localhost"]);
  });
}

function bare(path: string): string {
  return path.replace(/\/$/, "");
}

describe("completion in bash", { skip: missing("bash") }, () => {
  /** The words as bash splits them: also at `@`, `:` and `=`, which are words of their own then. */
  const offer: Offer = async (line) => {
    const words = line.split(" ").flatMap((word) => (word === "" ? [""] : (word.match(/[@:=]+|[^@:=]+/g) ?? [])));
    const array = words.map((word) => `'${word}'`).join(" ");
    const script = `source <(disco completion bash)
      COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:' COMP_LINE='${line}' COMP_POINT=${line.length}
      COMP_WORDS=(${array}) COMP_CWORD=${words.length - 1}
      _disco; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await inShell("bash", ["--norc", "--noprofile"], script)).split("\n").filter((text) => text !== "");
  };
  offersWhatIsThere(offer);

  test("names of jobs, of which what stands before @ and : is on the line already", async () => {
    assert.deepEqual(await offer("disco cat qu"), [name]);
    const [prefix = "", time = ""] = name.split("@");
    assert.deepEqual(await offer(`disco cat ${prefix}@${time.slice(0, 1)}`), [time]);
    const upToColon = time.slice(0, time.indexOf(":") + 1);
    assert.deepEqual(await offer(`disco cat ${prefix}@${upToColon}`), [time.slice(upToColon.length)]);
    assert.deepEqual(await offer("disco jobs --status=r"), ["ready"]);
  });

  test("the script is one that bash itself finds whole, and registers", async () => {
    const registered = await inShell("bash", ["--norc"], "source <(disco completion bash); complete -p disco");
    assert.match(registered, /-F _disco disco/);
  });
});

describe("completion in fish", { skip: missing("fish") }, () => {
  const offer: Offer = async (line) => {
    const script = `disco completion fish | source; complete -C '${line}'`;
    const lines = (await inShell("fish", ["--no-config"], script)).split("\n");
    return lines.filter((text) => text !== "").map((text) => text.split("\t")[0] ?? "");
  };
  offersWhatIsThere(offer);

  test("names of jobs, with their age beside them", async () => {
    assert.deepEqual(await offer("disco cat qu"), [name]);
    assert.deepEqual(await offer(`disco cat ${name.slice(0, -2)}`), [name]);
    const script = "disco completion fish | source; complete -C 'disco cat qu'";
    assert.match(await inShell("fish", ["--no-config"], script), /\tready, \d+ s ago\n$/);
    assert.deepEqual(await offer("disco jobs --status=r"), ["--status=ready"]);
  });
});

describe("completion in zsh", { skip: missing("zsh") }, () => {
  /** The line after TAB, in a shell with a terminal, as far as one candidate leaves no choice. */
  async function lineAfterTab(line: string): Promise<string> {
    await place.write(
      "setup.zsh",
      `PS1= PS2= RPS1=; unsetopt zle_bracketed_paste; bindkey -e
      autoload -Uz compinit; compinit -u -d '${place.folder}/dump'; source <(disco completion zsh)
      show() { print -r -- "LINE<$BUFFER>"; zle kill-buffer }; zle -N show; bindkey '^X' show
      print READY`,
    );
    const script = `zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell 'source ${place.folder}/setup.zsh'
      zpty -r -m shell text '*READY*'
      zpty -n -w shell $'${line}\\t\\x18'
      zpty -r -m shell text '*LINE<*>*'
      print -r -- "$text"`;
    const found = /LINE<(.*?)>/.exec(await inShell("zsh", ["-f"], script));
    return found?.[1] ?? "";
  }

  test("one candidate is completed: a command, an option's value, a file, a job, a node", async () => {
    assert.equal(await lineAfterTab("disco comp"), "disco completion ");
    assert.equal(await lineAfterTab("disco jobs --status=re"), "disco jobs --status=ready ");
    assert.equal(await lineAfterTab("disco run oth"), "disco run other.mjs ");
    assert.equal(await lineAfterTab(`disco cat ${name.slice(0, -3)}`), `disco cat ${name} `);
    assert.equal(await lineAfterTab("disco nodes set l"), "disco nodes set localhost=");
  });
});

test("an answer is empty, and no error, where no master answers", async () => {
  const done = await place.disco(["__complete", "--", "cat", "--master", "disco://127.0.0.1:9", ""]);
  assert.deepEqual([done.code, done.stdout, done.stderr], [0, "", ""]);
});
