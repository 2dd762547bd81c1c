/** What a terminal can show: colours (NO_COLOR, FORCE_COLOR, TERM as Node knows them) and characters beyond ASCII. */
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

export interface Look {
  readonly unicode: boolean;
  paint(style: Style, text: string): string;
}

export function lookOf(stream: NodeJS.WriteStream): Look {
  return {
    unicode: hasUnicode(),
    paint: (style, text) => (text === "" ? "" : styleText(style, text, { stream })),
  };
}

function hasUnicode(): boolean {
  if (process.platform === "win32") return "WT_SESSION" in process.env || process.env["TERM_PROGRAM"] === "vscode";
  if (process.env["TERM"] === "linux" || process.env["TERM"] === "dumb") return false;
  const locale = process.env["LC_ALL"] || process.env["LC_CTYPE"] || process.env["LANG"];
  // No locale at all is what containers have, and these are shown by terminals that know UTF-8.
  return locale === undefined || locale === "" || /utf-?8/i.test(locale);
}
