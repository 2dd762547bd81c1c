/**
 * Where on a command line the cursor is: what has been typed so far is read with the program's own commands and options, so
 * that completion knows what the parser knows.
 */
import type { Argument, Command, Option } from "commander";

export interface Place {
  readonly command: Command;
  /** The word before the cursor, as far as it is typed. */
  readonly typed: string;
  readonly wanted: Wanted;
  /** Arguments of the command before the cursor. */
  readonly before: readonly string[];
  /** Values of options before the cursor, by the names of their attributes. */
  readonly given: Readonly<Record<string, string>>;
}

export type Wanted =
  | { readonly kind: "command" }
  | { readonly kind: "argument"; readonly argument: Argument }
  | { readonly kind: "option" }
  /** `lead`: what of the word stands before the value: `--status=`, else nothing. */
  | { readonly kind: "value"; readonly option: Option; readonly lead: string }
  | { readonly kind: "nothing" };

/** `words`: all after the program's name; the last one is the one that is being typed, and may be empty. */
export function placeOf(program: Command, words: readonly string[]): Place {
  const typed = words.at(-1) ?? "";
  let command = program;
  let before: string[] = [];
  const given: Record<string, string> = {};
  let waiting: Option | null = null;
  let onlyArguments = false;
  for (const word of words.slice(0, -1)) {
    if (waiting !== null) {
      given[waiting.attributeName()] = word;
      waiting = null;
    } else if (!onlyArguments && word === "--") {
      onlyArguments = true;
    } else if (!onlyArguments && word.startsWith("-") && word !== "-") {
      const [flag, value] = splitOption(word);
      const option = optionOf(command, flag);
      if (option === undefined || !takesValue(option)) continue;
      if (value === undefined) waiting = option;
      else given[option.attributeName()] = value;
    } else if (word === "help" && before.length === 0 && command.commands.length > 0) {
      // The parser's own command: what follows are names of commands.
    } else {
      const inner = before.length === 0 && !onlyArguments ? commandOf(command, word) : undefined;
      if (inner !== undefined) [command, before] = [inner, []];
      else before.push(word);
    }
  }
  const place = { command, typed, before, given };
  if (waiting !== null) return { ...place, wanted: { kind: "value", option: waiting, lead: "" } };
  return { ...place, wanted: onlyArguments ? argumentAt(command, before) : wantedBy(command, typed, before) };
}

function wantedBy(command: Command, typed: string, before: readonly string[]): Wanted {
  if (typed.startsWith("-") && typed !== "-") {
    const [flag, value] = splitOption(typed);
    if (value === undefined) return { kind: "option" };
    const option = optionOf(command, flag);
    if (option === undefined || !takesValue(option)) return { kind: "nothing" };
    return { kind: "value", option, lead: `${flag}=` };
  }
  const hasCommands = command.commands.length > 0;
  if (before.length === 0 && hasCommands) return { kind: "command" };
  return argumentAt(command, before);
}

function argumentAt(command: Command, before: readonly string[]): Wanted {
  const all = command.registeredArguments;
  const last = all.at(-1);
  const argument = all[before.length] ?? (last?.variadic === true ? last : undefined);
  return argument === undefined ? { kind: "nothing" } : { kind: "argument", argument };
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

function splitOption(word: string): [flag: string, value: string | undefined] {
  const at = word.startsWith("--") ? word.indexOf("=") : -1;
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find((option) => option.long === flag || option.short === flag);
}

function commandOf(command: Command, name: string): Command | undefined {
  return command.commands.find((inner) => inner.name() === name || inner.aliases().includes(name));
}
