/** Checks of what a worker makes of lists of inputs, of replicas, and of the kinds of addresses. */
import type { SessionInput } from "../../node/foreign/session-inputs.ts";
import type { Bench } from "./bench.ts";
import type { Check } from "./checks.ts";
import { endOf, failed, notDone, type Outcome, ok, otherResults, remedyFor, skipped } from "./judgement.ts";
import type { Situation } from "./situation.ts";
import type { Run } from "./worker-run.ts";

/** There is no such file. */
const missing = "gone/no-such-file";
/** Names with more bytes than characters. */
const [strange, strangeAndMissing] = ["inputs/blåbær-終", "gone/blåbær-終"];
const asksForNone = "it does not ask for inputs";

export const inputs: readonly Check[] = [
  {
    id: "no-inputs",
    title: "copes with an empty list of inputs",
    async run(bench) {
      const run = await bench.run({ steps: [[]] });
      const deviation = notDone(
        run,
        "with or without outputs",
        "A task may have nothing to read: put nothing out then.",
      );
      return failed(...(deviation === null ? [] : [deviation]));
    },
  },
  {
    id: "empty-input",
    title: "copes with an input of no bytes",
    async run(bench) {
      await bench.write("empty", "");
      return orderly(await bench.run({ steps: [[{ label: 0, replicas: [bench.address("empty")] }]] }));
    },
  },
  {
    id: "bad-input",
    title: "says ERROR or FATAL of data that it cannot read, or reads them, but does not just end",
    async run(bench) {
      await bench.write(
        "bad",
        Uint8Array.from({ length: 4_096 }, (_, i) => (i * 97 + (i >> 8)) % 256),
      );
      return orderly(await bench.run({ steps: [[{ label: 0, replicas: [bench.address("bad")] }]] }));
    },
  },
  {
    id: "growing-list",
    title: "asks again while the list of inputs grows, and reads each input once",
    async run(bench) {
      const [first, ...others] = bench.inputs();
      const next =
        'After ["more", …] ask again, with ["exclude", [ids that are known]], until ["done", …]; what is known already is not read again.';
      return sameAsPlain(bench, { steps: [first === undefined ? [] : [first], others, []] }, next);
    },
  },
  {
    id: "next-replica",
    title: "reads another replica where the first one is broken",
    async run(bench) {
      const steps = [withFirst(bench, (url) => [bench.address(missing), url])];
      return sameAsPlain(bench, { steps }, "Try the replicas of an input in their order, until one can be read.");
    },
  },
  {
    id: "retry",
    title: "says INPUT_ERR when it can read no replica, and reads those that it gets with RETRY",
    async run(bench) {
      const steps = [withFirst(bench, (url) => [bench.address(missing), url])];
      const next =
        "Send INPUT_ERR [input, [replicas that failed]]; the answer RETRY has replicas [[id, address], …] to try instead.";
      const run = await bench.run({ steps, firstReplicaOnly: true });
      if (!asksForInputs(run)) return skipped(asksForNone);
      const said = run.messages.find(({ kind }) => kind === "INPUT_ERR");
      if (said?.kind === "INPUT_ERR" && (said.input !== 0 || said.replicas.join() !== "0")) {
        const came = `INPUT_ERR ${JSON.stringify([said.input, said.replicas])}`;
        return failed({ came, expected: "INPUT_ERR [0,[0]]: of input 0 the replica 0 is broken", next });
      }
      if (said === undefined) {
        const came = `${endOf(run)}, without INPUT_ERR`;
        return failed({ came, expected: "INPUT_ERR [0,[0]] for an input that cannot be read", next });
      }
      // As Disco's own worker in Python does.
      if (run.end.kind === "ERROR")
        return skipped("it says ERROR after INPUT_ERR: allowed, but the task begins anew for it");
      return compared(bench, run, next);
    },
  },
  {
    id: "no-replica",
    title: "says ERROR of an input that cannot be read from anywhere",
    async run(bench) {
      const run = await bench.run({ steps: [withFirst(bench, () => [bench.address(missing)])] });
      if (!asksForInputs(run)) return skipped(asksForNone);
      if (run.end.kind === "ERROR") return ok;
      const expected =
        "INPUT_ERR [0,[0]], and after its answer FAIL: ERROR, with a text that says what could not be read";
      const next =
        run.end.kind === "DONE"
          ? "Send ERROR: DONE would leave the data of this input out of the results, and nobody would notice."
          : run.end.kind === "FATAL"
            ? "Send ERROR, so that the task is tried elsewhere: FATAL ends the whole job."
            : remedyFor(run.end, "Send ERROR with a text.");
      return failed({ came: endOf(run), expected, next });
    },
  },
  {
    id: "non-ascii",
    title: "counts bytes, not characters, in what it reads and sends",
    async run(bench) {
      const contents = bench.subject.inputs[0]?.contents;
      if (contents === undefined) return skipped("the first input is elsewhere");
      await bench.write(strange, contents);
      const replicas = [bench.address(strangeAndMissing), bench.address(strange)];
      const next =
        "Read exactly LENGTH bytes of an answer, and decode them as UTF-8 then; addresses may have any letters.";
      const outcome = await sameAsPlain(bench, { steps: [withFirst(bench, () => replicas)] }, next);
      // What it says of a name is a message as well.
      return outcome.kind === "ok"
        ? orderly(await bench.run({ steps: [withFirst(bench, () => replicas.slice(0, 1))] }))
        : outcome;
    },
  },
  {
    id: "http",
    title: "reads inputs by HTTP",
    async run(bench) {
      if (bench.subject.inputs[0]?.contents === undefined) return skipped("the first input is elsewhere");
      const steps = [withFirst(bench, () => [bench.httpAddress("inputs/0")])];
      const next =
        "Inputs of other nodes come as http:// addresses of the own machine: GET them, whatever their path is, without a proxy.";
      return sameAsPlain(bench, { steps }, next);
    },
  },
  {
    id: "raw",
    title: "takes what follows raw:// as the data",
    async run(bench) {
      if (!bench.subject.hasOwnTexts) return skipped("the inputs were given");
      await bench.write("raw", "words");
      const usual = await bench.run({ steps: [[{ label: 0, replicas: [bench.address("raw")] }]] });
      const run = await bench.run({ steps: [[{ label: 0, replicas: ["raw://words"] }]] });
      if (!asksForInputs(run)) return skipped(asksForNone);
      return compared(bench, run, "There is nothing to open: the data of raw://words are words.", usual);
    },
  },
  {
    id: "index",
    title: "reads what an index (dir://) has of its label, and all of it where the label is all",
    async run(bench) {
      const [first, second] = bench.inputs();
      if (first === undefined || second === undefined) return skipped("it takes two inputs");
      const addresses = await Promise.all([first, second].map((input, i) => indexed(bench, input, i)));
      if (addresses.some((address) => /\s/.test(address))) return skipped("no index has addresses with spaces");
      await bench.write("results", addresses.map((address, i) => `${i} ${address} 1\n`).join(""));
      const url = bench.httpAddress("results").replace("http://", "dir://");
      const next =
        "GET what is at dir://HOST:PORT/PATH as http://HOST:PORT/PATH, whatever PATH is: a list of outputs, in lines of LABEL SP ADDRESS SP SIZE. Read the " +
        'addresses whose label is that of the input, or all of them if that is "all".';
      for (const [label, inputs] of [
        [0, [first]],
        ["all", [first, second]],
      ] as const) {
        const usual = await bench.run({ steps: [inputs.map((input) => ({ ...input, label: 0 }))] });
        const run = await bench.run({ steps: [[{ label, replicas: [url] }]] });
        if (!asksForInputs(run)) return skipped(asksForNone);
        const { kind } = run.end;
        if (bench.subject.isFirstStage && (kind === "ERROR" || kind === "FATAL"))
          return skipped("it takes no index in this stage, to which a job may give none; --stage checks a later one");
        const outcome = await compared(bench, run, next, usual);
        if (outcome.kind !== "ok") return outcome;
      }
      return ok;
    },
  },
];

/** An input as indexes of nodes name it: what is a file there is asked for by HTTP. Text in an address is no line of an index. */
async function indexed(bench: Bench, { replicas }: SessionInput, i: number): Promise<string> {
  const [address = ""] = replicas;
  const isText = address.startsWith("raw://");
  if (isText) await bench.write(`inputs/${i}`, address.slice("raw://".length));
  return isText || bench.subject.inputs[i]?.contents !== undefined ? bench.httpAddress(`inputs/${i}`) : address;
}

/** Whatever it says of the data: it said it in the protocol. */
function orderly(run: Run): Outcome {
  const { kind } = run.end;
  if (kind === "DONE" || kind === "ERROR" || kind === "FATAL") return ok;
  return failed({ came: endOf(run), expected: "DONE, ERROR or FATAL", next: remedyFor(run.end, "") });
}

/** The inputs, the first of them with other replicas. */
function withFirst(bench: Bench, replicasOf: (url: string) => readonly string[]): SessionInput[] {
  return bench
    .inputs()
    .map((input, i) => (i > 0 ? input : { ...input, replicas: replicasOf(input.replicas[0] ?? "") }));
}

/** The task as ever, but for one thing: it has to come to the same results. */
export async function sameAsPlain(bench: Bench, change: Omit<Situation, "task">, next: string): Promise<Outcome> {
  const run = await bench.run(change);
  return asksForInputs(await bench.plain()) ? compared(bench, run, next) : skipped(asksForNone);
}

async function compared(bench: Bench, run: Run, next: string, usual?: Run): Promise<Outcome> {
  const unfinished = notDone(run, "DONE, with the results of a plain task with the same data", next);
  if (unfinished !== null) return failed(unfinished);
  const expected = "the results of a plain task with the same data";
  const other = await otherResults(run, usual ?? (await bench.plain()), bench, expected, next);
  return other === null || !(await isRepeatable(bench)) ? ok : failed(other);
}

/** Whether two attempts come to the same results. Where they do not, there is nothing to compare. */
const repeatable = new WeakMap<Bench, Promise<boolean>>();

function isRepeatable(bench: Bench): Promise<boolean> {
  const asked = async (): Promise<boolean> => {
    const again = await bench.run({ steps: [bench.inputs()] });
    return (await otherResults(again, await bench.plain(), bench, "", "")) === null;
  };
  const known = repeatable.get(bench) ?? asked();
  repeatable.set(bench, known);
  return known;
}

function asksForInputs({ messages }: Run): boolean {
  return messages.some(({ kind }) => kind === "INPUT");
}
