import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { ManifestMark, ManifestPart } from "../../core/job/spec.ts";
import { DiscoError } from "../../errors.ts";
import { decodeManifest, encodeManifest } from "../../protocol/manifest-file.ts";
import type { AttemptId } from "../../protocol/messages.ts";
import type { JobHome } from "../job-home.ts";
import { OpenInputs } from "./open-inputs.ts";

type Question = { readonly job: string; readonly stage: number; readonly since: ManifestMark | null };
type Answer = ManifestPart | DiscoError;

/** A master that answers what the test says, question by question, and attempts that hear of it. */
class Stand {
  readonly dir: string;
  readonly inputs: OpenInputs;
  readonly told: string[] = [];
  readonly questions: Question[] = [];
  attempts: AttemptId[] = [];
  #answers: Answer[] = [];
  #asking: ((answer: Answer) => void)[] = [];
  #waiting: (() => void)[] = [];

  constructor(dir: string) {
    this.dir = dir;
    this.inputs = new OpenInputs({
      ask: async (question) => {
        this.questions.push(question as Question);
        const answer = this.#answers.shift() ?? (await new Promise<Answer>((resolve) => this.#asking.push(resolve)));
        if (answer instanceof DiscoError) throw answer;
        return encodeManifest(answer);
      },
      arrived: ({ task }) => {
        this.told.push(`${task} of ${this.questions.length}`);
        for (const wake of this.#waiting.splice(0)) wake();
      },
      attempts: () => this.attempts,
      pauseMs: 1,
      pauseMsMax: 2,
    });
  }

  answer(answer: Answer): void {
    const asking = this.#asking.shift();
    if (asking === undefined) this.#answers.push(answer);
    else asking(answer);
  }

  follow(task: number, version = 0): Promise<string> {
    const id: AttemptId = { job: "job", stage: 1, task, attempt: 0 };
    this.attempts.push(id);
    return this.inputs.follow(id, { job: "job", systemDir: this.dir } as JobHome, 0, version);
  }

  /** The next time that an attempt is told. */
  news(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

async function stand(t: TestContext): Promise<Stand> {
  const dir = await mkdtemp(join(tmpdir(), "disco-open-"));
  t.after(() => rm(dir, { recursive: true }));
  return new Stand(dir);
}

const part = (tasks: readonly number[], at: number, more: Partial<ManifestPart> & { readonly log?: string } = {}) => {
  const { log = "1.0", ...rest } = more;
  const outputs = tasks.map((task) => {
    const ref = { host: "a", file: `file${at}`, at: 0, length: 1, digest: `${task}` };
    return { task, ref, labels: [0] };
  });
  return { stage: 0, version: 0, outputs, open: true, mark: { log, at }, ...rest } as ManifestPart;
};
/** The last answer. */
const closed = (tasks: readonly number[], at: number): ManifestPart => {
  const { open: _open, ...whole } = part(tasks, at);
  return whole;
};
const tasksIn = async (file: string): Promise<(number | string)[]> => {
  const { outputs, open } = decodeManifest(await readFile(file, "utf8"));
  return [...outputs.map(({ task }) => task), open === true ? "open" : "whole"];
};

describe("inputs of tasks whose stage is open", () => {
  it("are asked for by what is new, until there is no more, and are all in one file", async (t) => {
    const bench = await stand(t);
    bench.answer(part([2], 1));
    const file = await bench.follow(0);
    assert.deepEqual(await tasksIn(file), [2, "open"]);
    const more = bench.news();
    bench.answer(part([], 1));
    bench.answer(part([0, 2], 3));
    await more;
    assert.deepEqual(await tasksIn(file), [2, 0, "open"]);
    const last = bench.news();
    bench.answer(closed([], 3));
    await last;
    assert.deepEqual(await tasksIn(file), [2, 0, "whole"]);
    assert.deepEqual(
      bench.questions.map(({ since }) => since?.at ?? null),
      [null, 1, 1, 3],
    );
    // Nobody is told of an answer that says nothing.
    assert.deepEqual(bench.told, ["0 of 1", "0 of 3", "0 of 4"]);
  });

  it("are asked for once for all attempts of the node", async (t) => {
    const bench = await stand(t);
    const files = [bench.follow(0), bench.follow(1)];
    bench.answer(part([5], 1));
    assert.equal(new Set(await Promise.all(files)).size, 1);
    bench.answer(closed([], 1));
    await bench.news();
    assert.deepEqual(bench.told.slice(0, 2), ["0 of 1", "1 of 1"]);
    assert.equal(bench.questions.length, 2);
  });

  it("begin anew when another master tells of them", async (t) => {
    const bench = await stand(t);
    bench.answer(part([1, 2], 2));
    const file = await bench.follow(0);
    const anew = bench.news();
    bench.answer(part([2, 3], 2, { log: "2.0" }));
    await anew;
    assert.deepEqual(await tasksIn(file), [2, 3, "open"]);
    const end = bench.news();
    bench.answer(closed([], 2));
    await end;
  });

  it("are asked for again when a master does not answer", async (t) => {
    const bench = await stand(t);
    bench.answer(part([1], 1));
    const file = await bench.follow(0);
    const news = bench.news();
    bench.answer(new DiscoError("nobody leads", { code: "no-leader" }));
    bench.answer(closed([4], 2));
    await news;
    assert.deepEqual(await tasksIn(file), [1, 4, "whole"]);
  });

  it("of a version that is over are none for an attempt that was assigned later", async (t) => {
    const bench = await stand(t);
    const first = bench.follow(0);
    const later = bench.follow(1, 3);
    bench.answer(closed([1, 2], 2));
    await first;
    assert.deepEqual(bench.told, ["0 of 1"]);
    bench.answer(part([7], 1, { version: 3, log: "1.3" }));
    assert.deepEqual(await tasksIn(await later), [7, "open"]);
    assert.deepEqual(bench.told.slice(1), ["0 of 2", "1 of 2"]);
    bench.attempts = [];
    await bench.inputs.forget("job");
  });

  it("are not asked for when no attempt is left, or the job is", async (t) => {
    const bench = await stand(t);
    bench.answer(part([1], 1));
    await bench.follow(0);
    bench.attempts = [];
    await bench.inputs.forget("job");
    const asked = bench.questions.length;
    assert.ok(asked <= 2);
    const refused = bench.follow(3);
    for (let n = 0; n < asked; n++) bench.answer(new DiscoError("no such stage", { code: "no-manifest" }));
    await assert.rejects(refused, { code: "no-manifest" });
    bench.attempts = [];
    await bench.inputs.forget("job");
  });
});
