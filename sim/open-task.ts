/**
 * A task of a stage that runs beside the stage before it: it asks for outputs until there are no more, and reads each as soon as it
 * hears of it, once. So what it makes is a mixture, if one was made again differently and nobody stopped it.
 */
import type { ManifestMark, ManifestPart, StageManifest } from "../src/core/job/spec.ts";
import type { Assignment } from "../src/protocol/messages.ts";
import type { Contents } from "./fake-job.ts";
import { select } from "./fake-job.ts";
import type { FakeNode, Report } from "./fake-node.ts";
import { failureOf } from "./fake-node.ts";
import type { World } from "./world.ts";

/** `whole`: when there are no more to come. */
export type PartAnswer = (part: ManifestPart | null, whole: StageManifest | null) => void;

/** It asks after so long at first, then less and less often as long as nothing comes. */
const askMs = 10;
const askMsMax = 300;

/** `runs`: nobody has stopped it. `ended` hears what it read, in the order of the outputs, or why it cannot go on. */
export function takeAsTheyCome(
  world: World,
  node: FakeNode,
  { job, stage, task, attempt, input }: Assignment,
  runs: () => boolean,
  ended: (read: string[] | Report) => void,
): void {
  if (input.kind !== "stage") return;
  const id = { job, stage, task, attempt };
  const known = new Map<number, { readonly task: number; readonly host: string; readonly contents: Contents }>();
  let since: ManifestMark | null = null;
  let delay = askMs;
  let isOver = false;
  const end = (read: string[] | Report): void => {
    isOver = true;
    ended(read);
  };
  const answered: PartAnswer = (part, whole) => {
    if (isOver || !runs()) return;
    if (part === null) {
      end({ kind: "task-lost", ...id, reason: "the master knows no such stage" });
      return;
    }
    if (part.outputs.length > 0) delay = askMs;
    for (const { task: producer, ref } of part.outputs) {
      if (known.has(producer) || (input.host !== undefined && input.host !== ref.host)) continue;
      const contents = world.fetch(node, ref);
      if (contents === undefined) {
        const failure = failureOf("data-error", "an input is gone", "elsewhere");
        end({ kind: "input-lost", ...id, lost: { stage: input.stage, task: producer, ref }, failure });
        return;
      }
      known.set(producer, { task: producer, host: ref.host, contents });
    }
    since = part.mark;
    const only = input.task === undefined ? undefined : known.get(input.task);
    if (only !== undefined) end(select(input, [only]));
    if (only !== undefined || part.open === true || whole === null) return;
    end(
      select(
        input,
        whole.outputs.flatMap((output) => known.get(output.task) ?? []),
      ),
    );
  };
  const ask = (): void => {
    if (isOver || !runs()) return;
    world.askManifest(node, job, input.stage, since, answered);
    delay = Math.min(delay * 2, askMsMax);
    world.agenda.after(delay, ask);
  };
  ask();
}
