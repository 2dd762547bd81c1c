import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { discoNames } from "./disco-names.ts";
import { discoNamesDocumentation, settingsDocumentation } from "./documentation.ts";
import { settingNames, settingOf } from "./table.ts";
import { unknownVariables } from "./unknown-variables.ts";

const page = readFileSync(new URL("../../docs/settings.md", import.meta.url), "utf8");
const remedy = "run `node scripts/settings-docs.ts`";

describe("docs/settings.md", () => {
  it("has every setting, as the list has it", () => {
    assert.ok(page.includes(settingsDocumentation()), remedy);
    for (const name of settingNames) assert.ok(page.includes(`| \`${settingOf(name).env}\` |`), name);
  });

  it("has every variable of Disco's that means nothing here, and none that is a setting", () => {
    assert.ok(page.includes(discoNamesDocumentation()), remedy);
    for (const name of settingNames) assert.ok(!(settingOf(name).env in discoNames), name);
  });
});

describe("variables that are no settings", () => {
  it("are found, with what was probably meant or what takes their place", () => {
    const env = { DISCO_PROT: "1", DISCO_HTTPD: "x", DISCO_ROOT: "/", DISCO_CONFIG: "x", DISCO_EMPTY: "", PORT: "1" };
    assert.deepEqual(unknownVariables({ ...env, DISCO_QQQQQQQQ: "1" }), [
      { variable: "DISCO_HTTPD", hint: "Disco had it; here it means nothing: not needed any more." },
      { variable: "DISCO_PROT", hint: "Did you mean DISCO_PORT?" },
      { variable: "DISCO_QQQQQQQQ", hint: "Unset it." },
    ]);
  });
});
