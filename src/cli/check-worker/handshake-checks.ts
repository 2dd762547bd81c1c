/** Checks of one plain task, from the worker's first message to its last, and of a second one beside it. */
import { workerProtocolVersion } from "../../protocol/worker-protocol/messages.ts";
import type { Check } from "./checks.ts";
import { checkOutputs, endOf, failed, notDone, ok, remedyFor, skipped } from "./judgement.ts";

const announcement = `WORKER {"pid": its process id, "version": "${workerProtocolVersion}"}`;

export const handshake: readonly Check[] = [
  {
    id: "starts",
    title: "can be started from its job home",
    needs: "nothing",
    async run(bench) {
      const { files, worker } = bench.subject;
      const head = files.get(worker)?.contents.subarray(0, 512) ?? new Uint8Array();
      const expected = "an executable";
      if (!head.includes(0) && !Buffer.from(head).toString("latin1").startsWith("#!")) {
        const next =
          "Give it a first line that names its interpreter (#!/usr/bin/env …), or compile it: the shell would run it.";
        return failed({ came: "a text without a first line that says who runs it", expected, next });
      }
      const { end } = await bench.plain();
      if (end.kind !== "not-started") return ok;
      const next = "Check its first line: the interpreter that it names has to exist on every node.";
      return failed({ came: end.reason, expected, next });
    },
  },
  {
    id: "announces",
    title: "says within 30 s who it is: WORKER with its process id and version 1.1",
    needs: "nothing",
    async run(bench) {
      const run = await bench.plain();
      const [first] = run.messages;
      if (first?.kind !== "WORKER") {
        const next = remedyFor(run.end, `Begin with ${announcement}, and read its answer, OK.`);
        const came = first === undefined ? endOf(run) : `${first.kind} as the first message`;
        return failed({ came, expected: announcement, next });
      }
      if (first.version !== workerProtocolVersion) {
        const next = `Send the version as the text "${workerProtocolVersion}": it is the protocol's, not the worker's.`;
        return failed({ came: `version ${JSON.stringify(first.version)}`, expected: announcement, next });
      }
      if (run.announcedItself !== false) return ok;
      const next = "Send the process id of the worker itself: by it the worker is watched and killed.";
      return failed({ came: `process id ${first.pid}, which is not the worker's`, expected: announcement, next });
    },
  },
  {
    id: "frames",
    title: "sends nothing but messages, on standard error as well as on standard output",
    needs: "nothing",
    async run(bench) {
      const run = await bench.plain();
      if (run.end.kind !== "no-message") return ok;
      const expected = "NAME SP LENGTH SP JSON LF, and nothing between two of them";
      return failed({ came: endOf(run), expected, next: remedyFor(run.end, "") });
    },
  },
  {
    id: "task",
    title: "asks for its task before anything else",
    needs: "nothing",
    async run(bench) {
      const { messages } = await bench.plain();
      const second = messages.find(({ kind }) => kind !== "WORKER" && kind !== "MSG" && kind !== "PING");
      if (second === undefined) return skipped("it does not come so far");
      // Whoever gives up here has another deviation.
      if (second.kind === "TASK" || second.kind === "ERROR" || second.kind === "FATAL") return ok;
      const next = 'Send TASK "" and read from the answer the stage, the host, and where data are.';
      return failed({ came: `${second.kind} without TASK before it`, expected: "TASK", next });
    },
  },
  {
    id: "plain",
    title: "reads its inputs, puts something out, and says DONE",
    needs: "nothing",
    async run(bench) {
      const run = await bench.plain();
      const { stage, hasOwnTexts } = bench.subject;
      const inputs = hasOwnTexts ? "three short texts" : "the inputs that were given";
      const { end } = run;
      const other =
        end.kind === "refused"
          ? "See in docs/workers.md what this message may say."
          : hasOwnTexts
            ? `Give inputs that the stage ${stage} can read with --input FILE, or another stage with --stage.`
            : "See what the worker itself says.";
      const deviation = notDone(run, `DONE, after ${inputs}`, remedyFor(end, other));
      return failed(...(deviation === null ? [] : [deviation]));
    },
  },
  {
    id: "waits",
    title: "waits to be killed after DONE",
    async run(bench) {
      const { afterEnd } = await bench.plain();
      if (afterEnd === null) return ok;
      const next =
        "DONE has no answer. Wait for one all the same, by reading standard input until it ends: a worker that is gone may have " +
        "failed, for all that the node knows.";
      return failed({ came: `after DONE ${afterEnd}`, expected: "nothing more", next });
    },
  },
  {
    id: "outputs",
    title: "has written the outputs that it claims, with their right sizes, below its job home",
    async run(bench) {
      return failed(...(await checkOutputs(await bench.plain(), bench)).deviations);
    },
  },
  {
    id: "names",
    title: "gives outputs of other tasks and other attempts other names",
    async run(bench) {
      const first = await checkOutputs(await bench.plain(), bench);
      if (first.paths.length === 0) return skipped("it writes no files here");
      const next = "Make names of the stage, the task id, and the time or the process id: all share one directory.";
      for (const [taskid, whose] of [
        [0, "another attempt of the task"],
        [1, "another task"],
      ] as const) {
        const run = await bench.run({ steps: [bench.inputs()], task: { taskid } });
        const { paths } = await checkOutputs(run, bench);
        const shared = paths.find((path) => first.paths.includes(path));
        if (shared === undefined) continue;
        const came = `${whose} wrote ${JSON.stringify(shared)} as well`;
        return failed({ came, expected: "files of its own", next });
      }
      return ok;
    },
  },
];
