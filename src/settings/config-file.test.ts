import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type ConfigFile, loadConfigFile } from "./config-file.ts";
import { resolveSettings } from "./resolve.ts";

let folder = "";

before(() => {
  folder = mkdtempSync(join(tmpdir(), "disco-config-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function load(text: string): ConfigFile {
  const loaded = loadConfigFile({ flag: write("one.toml", text), env: {}, cwd: folder, root: folder });
  assert.ok(loaded !== null);
  return loaded;
}

function refusal(text: string): { message: string; hint: string | undefined } {
  let found: { message: string; hint: string | undefined } | undefined;
  assert.throws(
    () => {
      const config = write("one.toml", text);
      resolveSettings("all", { flags: { config }, env: {}, cwd: folder });
    },
    (error: { code: string; message: string; hint?: string }) => {
      found = { message: error.message, hint: error.hint };
      return error.code === "bad-config-file";
    },
  );
  assert.ok(found !== undefined);
  return found;
}

describe("disco.toml", () => {
  it("is the one that is named, else the nearest from the working directory upwards, else the root's, else the user's", () => {
    const [cwd, root, configHome] = [join(folder, "a/b/c"), join(folder, "root"), join(folder, "config")];
    mkdirSync(cwd, { recursive: true });
    const env = { XDG_CONFIG_HOME: configHome };
    const found = (flag?: string, more = {}): string | undefined =>
      loadConfigFile({ flag, env: { ...env, ...more }, cwd, root })?.file;
    const users = write("config/disco/disco.toml", "port = 1");
    assert.equal(found(), users);
    const roots = write("root/disco.toml", "port = 2");
    assert.equal(found(), roots);
    const above = write("a/disco.toml", "port = 3");
    assert.equal(found(), above);
    const nearest = write("a/b/disco.toml", "port = 4");
    assert.equal(found(), nearest);
    const named = write("other.toml", "port = 5");
    assert.equal(found(undefined, { DISCO_CONFIG: named }), named);
    assert.equal(found("../../../other.toml"), named);
    assert.equal(found("none"), undefined);
  });

  it("has to exist where it is named", () => {
    assert.throws(() => loadConfigFile({ flag: "nowhere.toml", env: {}, cwd: folder, root: folder }), {
      code: "bad-config-file",
      message: /nowhere\.toml cannot be read: ENOENT/,
    });
  });

  it("knows the line of each of its values", () => {
    const file = load(
      ["# a comment", "port = 80", "", "[scheduler]", 'policy = "fifo"', "alpha = 0.5", "[labels]", 'rack = "a"'].join(
        "\n",
      ),
    );
    assert.deepEqual([...file.values.keys()], ["port", "scheduler.policy", "scheduler.alpha", "labels"]);
    assert.deepEqual(["port", "scheduler.policy", "scheduler.alpha", "labels"].map(file.lineOf), [2, 5, 6, 7]);
    assert.equal(load('\nscheduler = { policy = "fifo" }').lineOf("scheduler.policy"), 2);
    assert.equal(load('\nscheduler.policy = "fifo"').lineOf("scheduler.policy"), 2);
  });

  it("is refused with the line and what was probably meant when it has an unknown key", () => {
    const { message, hint } = refusal("port = 1\nwokers = 4");
    assert.match(message, /one\.toml line 2: there is no setting wokers$/);
    assert.equal(hint, "Did you mean workers?");
    assert.equal(refusal("gc-after = 7").hint, "Did you mean gc_after?");
    assert.equal(refusal('[scheduler]\npolice = "fair"').hint, "Did you mean scheduler.policy?");
    assert.equal(refusal("DISCO_SCHEDULER_ALPHA = 1").hint, "Did you mean scheduler.alpha?");
    assert.match(refusal("[deeper]\nport = 1").message, /there is no setting deeper$/);
    assert.match(refusal("zzzzzzzz = 1").hint ?? "", /^Settings are: host, port, /);
  });

  it("is refused for all that is wrong in it at once: unknown keys and wrong values", () => {
    const { message } = refusal(
      'prot = 80\nworkers = "many"\nzzzzzzzz = 1\ngc_after = "soon"\n[scheduler]\npolicy = "lifo"',
    );
    const lines = message.split("\n").map((line) => line.replace(/^.*one\.toml line /, ""));
    assert.equal(lines.length, 5, message);
    assert.equal(lines[0], "1: there is no setting prot. Did you mean port?");
    assert.match(lines[1] ?? "", /^3: there is no setting zzzzzzzz\. Settings are: host, /);
    assert.match(lines[2] ?? "", /^2: workers is "many", expected a whole number/);
    assert.ok(
      lines.some((line) => /^4: gc_after is "soon", expected /.test(line)),
      message,
    );
    assert.ok(
      lines.some((line) => /^6: scheduler\.policy is "lifo", expected one of fair, fifo/.test(line)),
      message,
    );
  });

  it("is no place for tokens, and says where they go", () => {
    const { message, hint } = refusal('token = "very-secret-very-secret"');
    assert.match(hint ?? "", /write token_file = "…"/);
    assert.match(refusal('submit_token = "x"').hint ?? "", /write submit_token_file = "…"/);
    assert.doesNotMatch(message + hint, /very-secret/);
  });

  it("is refused with line and column when it is no TOML", () => {
    assert.match(refusal("port = 80\nhost = 127.0.0.1").message, /one\.toml line 2, column \d+: /);
  });

  it("is not taken from another user's hands unless it is named", { skip: process.getuid?.() !== 0 }, async () => {
    const { chownSync } = await import("node:fs");
    const file = write("theirs/disco.toml", 'master = "disco://evil"');
    const [nobody, cwd] = [65_534, dirname(file)];
    chownSync(file, nobody, nobody);
    assert.throws(() => loadConfigFile({ flag: undefined, env: {}, cwd, root: folder }), {
      code: "bad-config-file",
      message: /belongs to another user/,
    });
    assert.equal(loadConfigFile({ flag: file, env: {}, cwd, root: folder })?.file, file);
  });
});
