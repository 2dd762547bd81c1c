/** What may stand at a place of the command line, as far as it begins with what is typed. */
import type { Argument, Command, Option } from "commander";
import type { Place } from "./place.ts";

export interface Candidate {
  readonly value: string;
  /** A few words; may be empty. */
  readonly description: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** The shell adds names of files with these endings, any where the list is empty; `null`: none. */
  readonly files: readonly string[] | null;
}

/** Names that a master knows. What cannot be found out is empty: a key press is no place for errors. */
export interface NameSources {
  jobs(beginning: string): Promise<readonly Candidate[]>;
  nodes(): Promise<readonly Candidate[]>;
  /** Keys of a job's out-of-band values. */
  oobKeys(job: string): Promise<readonly Candidate[]>;
  tags(beginning: string): Promise<readonly Candidate[]>;
}

const moduleEndings = ["ts", "mts", "js", "mjs"];

export async function candidatesAt(place: Place, names: NameSources): Promise<Completion> {
  const { command, typed, wanted, before } = place;
  switch (wanted.kind) {
    case "command":
      return only(commandsOf(command), typed);
    case "option":
      return only(optionsOf(command), typed);
    case "argument": {
      return await argumentOf(wanted.argument, { typed, before }, names);
    }
    case "value":
      if (wanted.option.flags.includes("<node>")) return only(await names.nodes(), typed);
      return optionValue(wanted.option, wanted.lead, typed.slice(wanted.lead.length));
    case "nothing":
      return { candidates: [], files: null };
  }
}

/** Arguments say by their names what they take: the same names mean the same in all commands. */
async function argumentOf(
  argument: Argument,
  { typed, before }: { readonly typed: string; readonly before: readonly string[] },
  names: NameSources,
): Promise<Completion> {
  const isNew = ({ value }: Candidate): boolean => !before.includes(value);
  if (argument.argChoices !== undefined) return only(plain(argument.argChoices), typed);
  switch (argument.name()) {
    case "name":
    case "names":
      return only((await names.jobs(typed)).filter(isNew), typed);
    case "tag":
    case "tags":
    case "source":
    case "target":
      return only((await names.tags(typed)).filter(isNew), typed);
    case "nodes":
      return only((await names.nodes()).filter(isNew), typed);
    case "rows":
      return only(
        (await names.nodes()).map(({ value, description }) => ({ value: `${value}=`, description })),
        typed,
      );
    case "key":
      return only(await names.oobKeys(before[0] ?? ""), typed);
    case "job":
      return { candidates: [], files: moduleEndings };
    case "inputs":
    case "files":
    case "file":
    case "pack":
      return { candidates: [], files: [] };
    default:
      return { candidates: [], files: null };
  }
}

function optionValue(option: Option, lead: string, typed: string): Completion {
  if (option.argChoices !== undefined) {
    const { candidates } = only(plain(option.argChoices), typed);
    return { candidates: candidates.map((one) => ({ ...one, value: lead + one.value })), files: null };
  }
  if (option.long === "--master")
    return only([{ value: `${lead}local`, description: "the engine in this process" }], lead + typed);
  return { candidates: [], files: /<(?:file|folder)>/.test(option.flags) ? [] : null };
}

function commandsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((inner) => ({ value: inner.name(), description: inner.summary() || inner.description() }));
}

function optionsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) => (long === undefined || long === null ? [] : [{ value: long, description }]));
}

function plain(values: readonly string[]): Candidate[] {
  return values.map((value) => ({ value, description: "" }));
}

function only(candidates: readonly Candidate[], typed: string): Completion {
  return { candidates: candidates.filter(({ value }) => value.startsWith(typed)), files: null };
}
