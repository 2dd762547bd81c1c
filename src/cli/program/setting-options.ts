/** Settings as options of a command: values are checked where all settings are, with their origins; here they are text. */
import { type Command, Option } from "commander";
import { flagOf, type Setting, settingNames, settingOf } from "../../settings/table.ts";

export const configOption = ["--config <file>", "settings file instead of disco.toml; `none`: no file"] as const;

export function addSettings(command: Command, sides: readonly Setting<unknown>["of"][]): Command {
  for (const name of settingNames) {
    const setting = settingOf(name);
    if (setting.flag === null || flagOf(setting) === null || !sides.includes(setting.of)) continue;
    const text = setting.description.replaceAll("`", "");
    command.addOption(new Option(setting.flag, `${text} ($${setting.env})`));
  }
  return command.option(...configOption);
}
