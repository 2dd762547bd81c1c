/** What comes through a pipe. */
import { DiscoError } from "../../errors.ts";

/** Lines that are not empty. `what` was to come: for the error where there is no pipe. @throws DiscoError `bad-argument` */
export async function linesOfInput(what: string): Promise<string[]> {
  if (process.stdin.isTTY) {
    throw new DiscoError(`no ${what} was given`, {
      code: "bad-argument",
      hint: "Name some, or send them through a pipe, one a line.",
    });
  }
  let text = "";
  for await (const part of process.stdin.setEncoding("utf8")) text += String(part);
  return text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}
