/** Commands on what is in blobs, and where they lie. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { recordFormats } from "../../print/record-text.ts";
import { parseCount, parseWhole } from "../../program/option-values.ts";
import { withExamples, withMaster } from "../../program/shared-options.ts";
import { oneTag, severalTags, withReach } from "./tag-options.ts";

const readers = "lineReader, chainReader, jsonlReader, csvReader, netstrReader, objectReader, or FILE.ts#NAME";
const contents = "tags, patterns such as 'data:*', or addresses of blobs (several in quotes are replicas of one)";

export function addBlobCommands(program: Command): void {
  addStoringCommands(program);
  addReadingCommands(program);

  const blobs = program
    .command("blobs")
    .summary("print the blobs that tags lead to")
    .description(
      "Prints the blobs of tags and of those to which they link, a line a blob: the addresses of its replicas, with tabs between them.",
    )
    .argument("<tags...>", severalTags);
  withExamples(withMaster(withReach(blobs)), "ddfs blobs data", "ddfs blobs -p data: | wc -l").action(
    async (tags: string[], options) => (await import("../blobs.ts")).printBlobs(tags, options),
  );
}

function addStoringCommands(program: Command): void {
  const push = program
    .command("push")
    .summary("store files, and add them to a tag")
    .description(
      "Stores files as blobs and adds them to a tag, which is made if it is not there: all of them, or none. Blobs are called as " +
        "their files are; what names may not have becomes `_`.",
    )
    .argument("<tag>", oneTag)
    .argument("<files...>", "files, folders with --recursive, or `-` for standard input")
    .option("-r, --recursive", "folders, with all files below them")
    .option("-x, --tarballs", "the files are tar archives, also compressed ones: a blob for each file in them")
    .option("-z, --compress", "compress each blob (gzip); readers know it, and its name ends in `_gz`")
    .option("-E, --exclude <text>", "not those whose path has this in it")
    .option("-I, --include <text>", "only those whose path has this in it")
    .option("--name <name>", "what the blob of a single file, or of standard input, is to be called");
  withExamples(
    withMaster(withStoring(push)),
    "ddfs push books *.txt",
    "ddfs push -r logs /var/log/app -I .log",
    "pg_dump shop | ddfs push backups - -z --name shop",
  ).action(async (tag: string, files: string[], options) =>
    (await import("../push.ts")).pushFiles(tag, files, options),
  );

  const chunk = program
    .command("chunk")
    .summary("store records in blobs of about the same size")
    .description(
      "Reads records, lines of text for instance, and stores them in compressed blobs of about the same size, which jobs read in " +
        "parallel with `chainReader`. No record is cut. The blobs are added to a tag: all of them, or none.",
    )
    .argument("<tag>", oneTag)
    .argument("<files...>", "files, globs, http://…, tag://NAME, results of jobs, or `-` for standard input")
    .option("-S, --size <n>", "MiB of compressed records in a blob (default: 64)", parseSize)
    .option("-Z, --max-record-size <n>", "MiB that a record may have (default: 64)", parseSize)
    .option("-R, --reader <reader>", `${readers} (default: by what the bytes are, text or blocks)`)
    .option("--name <name>", "what blobs of standard input are called (default: stdin)");
  withExamples(
    withMaster(withStoring(chunk)),
    "ddfs chunk logs 'logs/*.gz'",
    "zcat old.Z | ddfs chunk logs - -S 16",
    "ddfs chunk -R csvReader sales sales.csv",
  ).action(async (tag: string, inputs: string[], options) =>
    (await import("../chunk.ts")).chunkInputs(tag, inputs, options),
  );
}

function withStoring(command: Command): Command {
  return command
    .option("-n, --replicas <n>", "on how many nodes each blob is to be (default: that of the master)", parseReplicas)
    .option("--min-replicas <n>", "so few will do while nodes are away; the others are made later", parseReplicas)
    .addOption(
      new Option("-F, --forceon <node>", "a node that is to have each blob; repeatable").argParser(
        (node: string, before: string[] | undefined) => [...(before ?? []), node],
      ),
    )
    .option("-u, --update", "leave out blobs whose name the tag has already")
    .option("-d, --delayed", "wait up to a second for others that change the tag, and be recorded with them")
    .option("--concurrency <n>", "blobs at once (default: 4)", parseReplicas)
    .option("-q, --quiet", "show no progress, and no summary");
}

function addReadingCommands(program: Command): void {
  const pull = program
    .command("pull")
    .summary("fetch the blobs of a tag into a folder")
    .description(
      "Writes the blobs that tags lead to into a folder, as files of their names, or to standard output. A file appears when all " +
        "of it is there, and what was stored is what arrives: sums are compared.",
    )
    .argument("<tag>", contents)
    .argument("[file]", "the folder, which is made if it is not there, or `-` for standard output", ".")
    .option("-b, --blobs <pattern>", "only blobs whose names match")
    .option("-f, --force", "replace files that are there")
    .option("--concurrency <n>", "blobs at once (default: 4)", parseReplicas)
    .option("-q, --quiet", "show no progress, and no summary");
  withExamples(withMaster(withReach(pull)), "ddfs pull books ./books", "ddfs pull logs . -b '*_log'").action(
    async (tag: string, folder: string, options) => (await import("../pull.ts")).pullBlobs(tag, folder, options),
  );

  const cat = program
    .command("cat")
    .summary("print the bytes of blobs")
    .description("Prints the bytes of blobs, as they were pushed, one blob after the other.")
    .argument("<tags...>", contents);
  withExamples(withMaster(withReach(cat), "print JSON where the command fails"), "ddfs cat books | wc -w").action(
    async (tags: string[], options) => (await import("../cat.ts")).catBlobs(tags, options),
  );

  const xcat = program
    .command("xcat")
    .summary("print the records in blobs")
    .description(
      "Prints the records in blobs, as a reader makes them, one a line. Blobs that are compressed are unpacked.",
    )
    .argument("<tags...>", contents)
    .option("-R, --reader <reader>", `${readers} (default: by what the bytes are, text or blocks of records)`)
    .addOption(
      new Option("--format <format>", "fields with tabs between them, or JSON").choices(recordFormats).default("tsv"),
    )
    .option("--head <n>", "only the first n records", parseCount);
  withExamples(
    withMaster(withReach(xcat), "as --format jsonl"),
    "ddfs xcat chunks --head 20",
    "ddfs xcat -R lineReader books",
  ).action(async (tags: string[], options) => (await import("../cat.ts")).catRecords(tags, options));

  const grep = program
    .command("grep")
    .summary("print lines of blobs that match")
    .description(
      "Prints lines of blobs that match a regular expression, of blobs with records those records. Exit status 0: some match, 1: none.",
    )
    .argument("<pattern>", "a regular expression, as in JavaScript")
    .argument("<tags...>", contents)
    .option("-i, --ignore-case", "take upper and lower case for the same")
    .option("-v, --invert-match", "lines that do not match")
    .option("-c, --count", "only how many lines of each blob match")
    .option("-l, --files-with-matches", "only the names of blobs in which some match")
    .option("-n, --line-number", "with the numbers of lines")
    .option("--no-filename", "without the names of blobs")
    .option("--ignore-missing", "pass over links to tags that are not there")
    .option("-p, --prefix-mode", "the words are beginnings of names")
    .option("--concurrency <n>", "blobs at once (default: 4)", parseReplicas);
  withExamples(withMaster(grep), "ddfs grep -n 'error|fatal' logs", "ddfs grep -ci whale 'books:*'").action(
    async (pattern: string, tags: string[], options) => {
      process.exitCode = await (await import("../grep.ts")).grepBlobs(pattern, tags, options);
    },
  );
}

function parseReplicas(text: string): number {
  return parseWhole(text, 1, "a whole number from 1 on was expected");
}

function parseSize(text: string): number {
  const size = Number(text);
  if (text.trim() !== "" && size > 0 && Number.isFinite(size)) return size;
  throw new InvalidArgumentError("a number above 0 was expected.");
}
