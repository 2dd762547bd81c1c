/** The tables of `docs/settings.md`, written from the list of settings; a test compares them with the page. */
import { discoNames } from "./disco-names.ts";
import { type Setting, settingNames, settingOf } from "./table.ts";

/** Headings and tables in Markdown, with a line feed at the end. */
export function settingsDocumentation(): string {
  const parts = (["both", "daemon", "cluster", "client"] as const).map((side) => `${titles[side]}\n\n${tableOf(side)}`);
  return `${parts.join("\n\n")}\n`;
}

/** Disco's variables that mean nothing here, as a table in Markdown. */
export function discoNamesDocumentation(): string {
  const rows = Object.entries(discoNames).map(([name, instead]) => `| \`${name}\` | ${instead} |`);
  return `| variable | here |\n|---|---|\n${rows.join("\n")}\n`;
}

const titles = {
  both: "### Of the daemon and of clients",
  daemon: "### Of the daemon",
  cluster: "### Of masters and nodes of a cluster",
  client: "### Of clients and commands",
} as const;

function tableOf(side: Setting<unknown>["of"]): string {
  const rows = settingNames
    .map(settingOf)
    .filter((setting) => setting.of === side)
    .map((setting) => {
      const cells = [code(setting.env), code(setting.flag), code(setting.key), describe(setting)];
      return `| ${cells.join(" | ")} |`;
    });
  return ["| variable | flag | in `disco.toml` | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

function describe(setting: Setting<unknown>): string {
  return `${setting.description}. Default: ${defaultTextOf(setting)}`;
}

/** The default in words. */
function defaultTextOf(setting: Setting<unknown>): string {
  return setting.defaultText ?? code(setting.type.show(setting.default({ env: {}, host: "127.0.0.1" })));
}

function code(text: string | null): string {
  return text === null ? "" : `\`${text}\``;
}
