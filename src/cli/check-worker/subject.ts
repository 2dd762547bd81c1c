/** What is checked: a program alone, or the worker of a job pack with the files that the pack brings along. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileFault } from "../../client/file-fault.ts";
import { DiscoError } from "../../errors.ts";
import { checkForeignHome, foreignWorkerPath } from "../../protocol/foreign-home.ts";
import { decodeJobPack, encodeJobPack } from "../../protocol/jobpack.ts";
import { type DiscoStage, ownWorker, readDiscoDict } from "../../protocol/jobpack-dict.ts";
import { readHome } from "../../protocol/jobpack-zip.ts";
import { isPackFile } from "../run/pack-file.ts";

export interface Subject {
  /** Path of the executable in the job home. */
  readonly worker: string;
  /** The job home, by path. */
  readonly files: ReadonlyMap<string, { readonly contents: Uint8Array; readonly mode: number }>;
  readonly jobenvs: Readonly<Record<string, string>>;
  readonly pack: Uint8Array;
  readonly stage: string;
  readonly grouping: DiscoStage["grouping"];
  /** Its tasks get what the job was given, and not what tasks before have put out; as far as is known. */
  readonly isFirstStage: boolean;
  /** At least two, so that there can be a list that grows. */
  readonly inputs: readonly SubjectInput[];
  /** They are texts of the checker's own. */
  readonly hasOwnTexts: boolean;
}

export interface SubjectInput {
  readonly label: number;
  /** What there is to read. */
  readonly contents?: Uint8Array;
  /** Where it is, if it is elsewhere. */
  readonly addresses?: readonly string[];
}

export interface SubjectOptions {
  readonly pack?: string;
  readonly stage?: string;
  /** Files, or addresses. */
  readonly input?: readonly string[];
  /** A file: the job's data, for the worker alone. */
  readonly data?: string;
}

/** Words of several alphabets, so that bytes are not characters. */
const texts = ["the quick brown fox\njumps over the lazy dog\n", "the dog sleeps\n", "søde blåbær, the end: 終わり\n"];
const usualStage = "map";

/** @throws DiscoError for what cannot be read or does not fit together */
export async function readSubject(program: string | undefined, options: SubjectOptions): Promise<Subject> {
  if ((program === undefined) === (options.pack === undefined)) {
    throw new DiscoError("either a program or a job pack is to be checked", {
      code: "bad-argument",
      hint: "Write disco check-worker ./my-worker, or disco check-worker --pack FILE.",
    });
  }
  const given = options.input === undefined ? null : await Promise.all(options.input.map(readInput));
  if (program !== undefined && (await isPackFile(program))) {
    throw new DiscoError(`${program} is a job pack`, {
      code: "bad-argument",
      hint: `Write disco check-worker --pack ${program}.`,
    });
  }
  if (program !== undefined) return programSubject(program, options, given);
  const { pack: file = "" } = options;
  const pack = await readGiven(file);
  return checkedPack(file, () => packSubject(pack, options, given));
}

async function programSubject(
  program: string,
  options: SubjectOptions,
  given: readonly SubjectInput[] | null,
): Promise<Subject> {
  const worker = basename(program);
  const contents = await readGiven(program);
  const { stage = usualStage } = options;
  const inputs = atLeastTwo(given ?? texts.map((text) => ({ label: 0, contents: Buffer.from(text) })));
  const pack = encodeJobPack({
    jobdict: {
      prefix: "check",
      owner: "check-worker",
      worker,
      pipeline: [[stage, "split", false]],
      inputs: inputs.map(({ label }) => [label, 0, ["raw://"]]),
    },
    jobenvs: {},
    files: { [worker]: contents },
    jobdata: options.data === undefined ? Buffer.alloc(0) : await readGiven(options.data),
  });
  const files = new Map([[worker, { contents, mode: 0o755 }]]);
  const isFirstStage = stage === usualStage;
  return {
    worker,
    files,
    jobenvs: {},
    pack,
    stage,
    grouping: "split",
    isFirstStage,
    inputs,
    hasOwnTexts: given === null,
  };
}

/** What is wrong with the pack is said of the file. */
function checkedPack(file: string, read: () => Subject): Subject {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DiscoError) || error.code !== "bad-jobpack") throw error;
    const { message, hint } = error;
    throw new DiscoError(`${file}: ${message}`, {
      code: "bad-jobpack",
      cause: error,
      hint: `${hint === undefined ? "" : `${hint} `}\`disco jobpack inspect ${file}\` shows what is in it.`,
    });
  }
}

function packSubject(pack: Uint8Array, options: SubjectOptions, given: readonly SubjectInput[] | null): Subject {
  const { version, jobdict, jobenvs, jobhome } = decodeJobPack(pack);
  const { worker: named, pipeline, inputs: packed } = readDiscoDict(jobdict, version);
  if (named === ownWorker) {
    throw new DiscoError("the job of this pack has no worker of its own: its functions run in Disco's", {
      code: "bad-argument",
      hint: "disco check-worker is for packs whose job dict names a program of theirs as the worker.",
    });
  }
  const worker = foreignWorkerPath(named);
  const files = readHome(jobhome);
  checkForeignHome(
    [...files.keys()].map((name) => ({ name })),
    worker,
  );
  const stages = pipeline.map(({ name }) => name);
  const { stage = stages[0] ?? usualStage } = options;
  const planned = pipeline.find(({ name }) => name === stage);
  if (planned === undefined) {
    throw new DiscoError(`the job pack has no stage ${stage}`, {
      code: "unknown-stage",
      hint: `Its stages are ${stages.join(", ")}.`,
    });
  }
  const ofPack = packed.map(({ label, replicas }): SubjectInput => ({ label, addresses: replicas }));
  const inputs = atLeastTwo(given ?? ofPack);
  const isFirstStage = stage === stages[0];
  return { worker, files, jobenvs, pack, stage, grouping: planned.grouping, isFirstStage, inputs, hasOwnTexts: false };
}

function atLeastTwo(inputs: readonly SubjectInput[]): readonly SubjectInput[] {
  const [only] = inputs;
  if (only === undefined) throw new DiscoError("a task without inputs cannot be checked", { code: "bad-argument" });
  return inputs.length > 1 ? inputs : [only, only];
}

async function readInput(word: string): Promise<SubjectInput> {
  return /^[a-z0-9+.-]+:\/\//i.test(word)
    ? { label: 0, addresses: [word] }
    : { label: 0, contents: await readGiven(word) };
}

async function readGiven(file: string): Promise<Buffer<ArrayBuffer>> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new DiscoError(`${file} cannot be read: ${fileFault(cause)}`, {
      code: "no-such-file",
      cause,
    });
  }
}
