/** Help and manual against the program's own list of commands and options: none is missing, none is made up. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Command } from "commander";
import { buildDdfsProgram } from "../../src/cli/ddfs/program.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { settingNames, settingOf } from "../../src/settings/table.ts";

const manual = readFileSync(join(import.meta.dirname, "..", "..", "docs", "cli.md"), "utf8");
/** Described once, for all commands; and settings, which have a manual of their own. */
const described = new Set([
  "--json",
  "--prefix-mode",
  "--ignore-missing",
  "--config",
  "--help",
  ...settingNames.flatMap((name) => settingOf(name).flag?.match(/--[a-z-]+/) ?? []),
]);

interface Named {
  /** `disco` or `ddfs`. */
  readonly program: string;
  readonly words: readonly string[];
  readonly command: Command;
}

const programs = [buildProgram(), buildDdfsProgram()];
const commands = programs.flatMap((program) => allCommands(program.name(), program, []));

function allCommands(program: string, parent: Command, before: readonly string[]): Named[] {
  return parent.commands.flatMap((command) => {
    const words = [...before, command.name()];
    return [{ program, words, command }, ...allCommands(program, command, words)];
  });
}

/** The text below `### \`disco NAME\``, up to the next heading of that rank or above. */
function sectionOf(program: string, name: string): string {
  const at = manual.indexOf(`\n### \`${program} ${name}\`\n`);
  assert.ok(at >= 0, `docs/cli.md has no section on ${program} ${name}`);
  const rest = manual.slice(at + 1);
  return rest.slice(0, (/\n#{2,3} /.exec(rest)?.index ?? rest.length) + 1);
}

test("masters and nodes have the settings that they go by, and not those of the others", () => {
  const flags = (name: string): string[] =>
    commands
      .filter(({ program, words }) => program === "disco" && words.join(" ") === name)
      .flatMap(({ command }) => command.options.map(({ long }) => long ?? ""));
  const [master, node] = [flags("master"), flags("node")];
  const only = (these: readonly string[], others: readonly string[]): string[] =>
    these.filter((flag) => !others.includes(flag)).toSorted();
  assert.deepEqual(only(node, master), ["--labels", "--node", "--slots", "--volumes", "--workers"]);
  const ofMasters = ["--blob-replicas", "--engine-monitor", "--gc-after", "--gc-grace", "--gc-interval", "--journal"];
  ofMasters.push(
    "--lost-after",
    "--pack-max",
    "--scheduler",
    "--scheduler-alpha",
    "--scrub-interval",
    "--tag-replicas",
  );
  assert.deepEqual(only(master, node), ofMasters);
  for (const flag of ["--engine", "--cluster", "--suspect-after", "--tls-cert", "--disk-reserve"]) {
    assert.ok(master.includes(flag) && node.includes(flag), flag);
  }
});

test("every command has a summary, a description in sentences, and an example that names it", () => {
  for (const { program, words, command } of commands) {
    const name = words.join(" ");
    assert.match(command.summary(), /^[a-z].*[^.]$/, `summary of ${name}`);
    assert.match(command.description(), /^[A-Z][^]*\.$/, `description of ${name}`);
    let help = "";
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    const example = new RegExp(`\\n {2}\\$ (?:[^\\n]*[ (])?${program} ${words.join(" ")}[ \\n]`);
    const inner = command.commands.map((one) => one.name()).join("|");
    const innerExample = new RegExp(`\\n {2}\\$ ${program} ${words.join(" ")} (?:${inner}) `);
    const isLoaded = name === "completion" && /source <\(disco completion /.test(help);
    assert.ok(
      example.test(help) || (inner !== "" && innerExample.test(help)) || isLoaded,
      `example of ${name}\n${help}`,
    );
    for (const option of command.options) assert.ok(option.description.length > 0, `${name} ${option.flags}`);
    for (const argument of command.registeredArguments)
      assert.ok(argument.description.length > 0, `${name} ${argument.name()}`);
  }
});

test("every command has --json, and those that talk to a master can be told which one", () => {
  const daemon = ["start", "stop", "status", "restart", "token new"];
  const local = new Set([...daemon, "completion", "cluster up", "rebuild", "check-worker", "jobpack inspect"]);
  // What they print is their log, which is JSON anyway.
  const logging = new Set(["master", "node"]);
  for (const { words, command } of commands) {
    const name = words.join(" ");
    const flags = new Set(command.options.map(({ long }) => long));
    if (command.commands.length > 0 && flags.size === 0) continue;
    if (words[0] === "nodes" && words.length > 1) continue;
    if (logging.has(name)) continue;
    assert.ok(flags.has("--json"), `${name} --json`);
    if (!local.has(name))
      for (const flag of ["--master", "--root", "--config"]) assert.ok(flags.has(flag), `${name} ${flag}`);
  }
});

test("the manual has a section with an example on every command, and names all of its options", () => {
  for (const { program, words, command } of commands) {
    const name = words.join(" ");
    const section = sectionOf(program, words[0] ?? "");
    assert.ok(section.includes(`${program} ${name}`), `${program} ${name} in docs/cli.md`);
    assert.match(section, new RegExp(`\\n\`\`\`sh\\n[^\`]*${program} ${words[0]}`), `example of ${words[0]}`);
    for (const { long } of command.options) {
      if (long == null || described.has(long)) continue;
      assert.ok(new RegExp(`${long}(?![a-z-])`).test(section), `${long} of ${program} ${name} in docs/cli.md`);
    }
  }
});

test("the manual names no command and no option that is not there", () => {
  const known = new Set(commands.flatMap(({ command }) => command.options.map(({ long }) => long)));
  for (const program of ["disco", "ddfs"]) {
    const names = new Set(commands.flatMap((one) => (one.program === program ? [one.words[0]] : [])));
    const headings = manual.matchAll(new RegExp(`\\n### \`${program} ([a-z]+)\``, "g"));
    const mentions = manual.matchAll(new RegExp(`\`${program} ([a-z-]+)[ \`]`, "g"));
    for (const [, name = ""] of [...headings, ...mentions]) assert.ok(names.has(name), `${program} ${name}`);
    for (const name of names) {
      for (const [flag] of sectionOf(program, name ?? "").matchAll(/(?<![a-z-])--[a-z][a-z-]+/g)) {
        assert.ok(known.has(flag), `${flag} in the section on ${program} ${name}`);
      }
    }
  }
});

test("the overview of the manual leads to every section", () => {
  for (const { program, words } of commands) {
    const link = `[\`${words[0]}\`](#${program}-${words[0]})`;
    assert.ok(manual.includes(link), `${program} ${words[0]} in the overview`);
  }
});

test("the example of the help is one that the type checker has seen", () => {
  let help = "";
  const program = buildProgram().configureOutput({ writeOut: (text) => (help += text) });
  program.outputHelp();
  const checked = readFileSync(join(import.meta.dirname, "..", "types", "help-example.ts"), "utf8");
  const lines = checked.trimEnd().split("\n").slice(1);
  assert.ok(lines.length > 5 && help.includes(lines.map((line) => `  ${line}\n`).join("")), help);
});
