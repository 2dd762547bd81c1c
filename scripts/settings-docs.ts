/** Writes the tables of docs/settings.md from the list of settings. */
import { readFileSync, writeFileSync } from "node:fs";
import { discoNamesDocumentation, settingsDocumentation } from "../src/settings/documentation.ts";

const page = new URL("../docs/settings.md", import.meta.url);
const tables = { settings: settingsDocumentation(), "disco-names": discoNamesDocumentation() };
let text = readFileSync(page, "utf8");
for (const [name, table] of Object.entries(tables)) {
  text = text.replace(
    new RegExp(`(<!-- ${name}: .*? -->\\n)[^]*?(<!-- end -->)`),
    (_, begin: string, end: string) => begin + table + end,
  );
}
writeFileSync(page, text);
