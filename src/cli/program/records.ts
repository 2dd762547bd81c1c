/** Commands that print records, their addresses, and what tasks put beside them. */
import { type Command, Option } from "commander";
import { outputFormats } from "../print/record-text.ts";
import { parseCount } from "./option-values.ts";
import { withExamples, withMaster } from "./shared-options.ts";

const shortName = "the job's name, or what it begins with; `@` is the newest job";

export function addRecordCommands(program: Command): void {
  const cat = program
    .command("cat")
    .summary("print the records of jobs")
    .description("Prints the results of jobs, or the records at the addresses of some, as text.")
    .argument("<names...>", `${shortName}; or the address of results`)
    .addOption(
      new Option(
        "--format <format>",
        "a record a line (key, tab, value, or a JSON array), or the bytes as they are (default: tsv; raw for jobs with a worker " +
          "of their own)",
      ).choices(outputFormats),
    )
    .option("--head <n>", "only the first n records", parseCount);
  withExamples(
    withMaster(cat, "as --format jsonl"),
    "disco cat word_count --head 20",
    "disco cat @ --format jsonl | jq '.[0]'",
  ).action(async (names: string[], options) => (await import("../commands/results.ts")).catResults(names, options));

  const results = program
    .command("results")
    .summary("print the addresses of a job's results")
    .description("Prints the addresses of a job's results, one a line: other jobs take them as inputs.")
    .argument("<name>", shortName)
    .option("--stage <stage>", "of this stage, which has ended, instead of the last");
  withExamples(withMaster(results), "disco results word_count", "disco run top.ts $(disco results word_count)").action(
    async (name: string, options) => (await import("../commands/results.ts")).printResults(name, options),
  );

  const mapResults = program
    .command("mapresults")
    .summary("print the addresses of what a job's map stage has output")
    .description(
      "Prints the addresses of what a job's map stage has output, one a line, once that stage has ended: another job can go on " +
        "from there.",
    )
    .argument("<name>", shortName);
  withExamples(withMaster(mapResults), "disco mapresults word_count").action(async (name: string, options) =>
    (await import("../commands/results.ts")).printMapResults(name, options),
  );

  const deref = program
    .command("deref")
    .summary("print the files behind addresses of results")
    .description(
      "Prints what the indexes at dir:// addresses list, one address a line; other addresses as they are. Without arguments " +
        "it reads addresses from standard input.",
    )
    .argument("[urls...]", "addresses, as `disco results` prints them");
  withExamples(withMaster(deref), "disco results word_count | disco deref").action(async (urls: string[], options) =>
    (await import("../commands/results.ts")).printDeref(urls, options),
  );

  const oob = program
    .command("oob")
    .summary("list or print out-of-band values of a job")
    .description("Out-of-band values: what a job's tasks have put beside their output, by key.");
  const list = oob
    .command("list")
    .summary("print the keys")
    .description("Prints the keys of a job's out-of-band values, one a line.")
    .argument("<name>", shortName);
  withExamples(withMaster(list), "disco oob list word_count").action(async (name: string, options) =>
    (await import("../commands/oob.ts")).listOob(name, options),
  );
  const get = oob
    .command("get")
    .summary("print one value")
    .description("Prints an out-of-band value as the bytes that it is.")
    .argument("<name>", shortName)
    .argument("<key>", "as `disco oob list` prints it")
    .option("-o, --output <file>", "write it to a file");
  withExamples(
    withMaster(get, "print an object with the key, and the value as base64"),
    "disco oob get word_count totals -o totals.json",
  ).action(async (name: string, key: string, options) =>
    (await import("../commands/oob.ts")).getOob(name, key, options),
  );
  withExamples(oob, "disco oob list word_count", "disco oob get word_count totals -o totals.json");
}
