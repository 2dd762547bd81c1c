/** What the parser of the command line says, in the form of all other errors: a message, a code of ours, and a hint. */
import type { CommanderError } from "commander";
import { DiscoError } from "../../errors.ts";

export function refusedArguments({ code, message }: CommanderError, program: string): DiscoError {
  const help = `\`${program} --help\` explains the commands.`;
  // The program's name alone: the help was printed.
  if (code === "commander.help") return refusal("no command was given");
  const [what = "", question] = message.replace(/^error: /, "").split(/\s*\(Did you mean (?:one of )?(.*)\?\)\s*/s);
  return refusal(
    what,
    question === undefined ? help : `Did you mean ${question.replace(/, (?=[^,]*$)/, " or ")}? ${help}`,
  );
}

function refusal(message: string, hint?: string): DiscoError {
  return new DiscoError(message, { code: "bad-argument", ...(hint === undefined ? {} : { hint }) });
}
