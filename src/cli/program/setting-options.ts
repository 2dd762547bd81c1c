/** Settings as options of a command: values are checked where all settings are, with their origins; here they are text. */
import { type Command, Option } from "commander";
import { flagOf, type Setting, type SettingName, settingNames, settingOf } from "../../settings/table.ts";

export const configOption = ["--config <file>", "settings file instead of disco.toml; `none`: no file"] as const;

export function addSettings(command: Command, sides: readonly Setting<unknown>["of"][]): Command {
  return addNamedSettings(
    command,
    settingNames.filter((name) => sides.includes(settingOf(name).of)),
  );
}

export function addNamedSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const setting = settingOf(name);
    if (setting.flag === null || flagOf(setting) === null) continue;
    const text = setting.description.replaceAll("`", "");
    command.addOption(new Option(setting.flag, `${text} ($${setting.env})`));
  }
  return command.option(...configOption);
}
