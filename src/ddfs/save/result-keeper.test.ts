import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { BlobTarget, NewBlobOptions } from "../../client/ddfs/ddfs-api.ts";
import { objectOf } from "../../core/ddfs/names.ts";
import type { MasterEvent } from "../../core/events.ts";
import { oobTag, resultsTag } from "../../core/job/saved-tags.ts";
import { unsaved } from "../../core/job/saving.ts";
import { Bench, jobSpec, outputOf } from "../../core/testing.ts";
import { CommError, DataError, DiscoError } from "../../errors.ts";
import type { AdoptFile, CopyBlob, StoredBlob } from "../../protocol/ddfs/messages.ts";
import type { Decider } from "../decider.ts";
import { TagService } from "../tag-service.ts";
import { ResultKeeper, type ResultKeeperParts } from "./result-keeper.ts";
import type { ListedFile } from "./saved-files.ts";

type Said<T> = Omit<T, "epoch">;

/** A master, its nodes' blobs, and what goes wrong with them. */
class Stand {
  readonly bench = new Bench(["a", "b", "c"]);
  readonly events: MasterEvent[] = [];
  readonly adopted: (Said<AdoptFile> & { host: string })[] = [];
  readonly copied: { host: string; object: string }[] = [];
  /** Thrown by the next calls, in turn; `null`: nothing. */
  readonly adoptFailures: (Error | null)[] = [];
  readonly copyFailures: (Error | null)[] = [];
  /** What is listed at the address of an index, and what comes instead of the others. */
  readonly indexes = new Map<string, readonly ListedFile[]>();
  indexFailure: Error | null = null;
  ddfsFailure: Error | null = null;
  replicas = 2;
  /** Nodes that have not told of their volumes. */
  silent: string[] = [];
  /** Address of what stands for the nodes. */
  store: string | null = null;
  /** Resolves when it is to go on; called with each adoption. */
  gate: () => Promise<void> = async () => {};
  readonly keeper: ResultKeeper;
  #micros = 1;

  constructor() {
    const decider: Decider & ResultKeeperParts["decider"] = {
      machine: this.bench.master,
      record: (events) => {
        for (const event of events) {
          this.events.push(event);
          this.bench.handle(event);
        }
      },
      committed: async () => {},
      assured: async () => {},
      assertRoom: () => {},
    };
    const now = (): number => this.bench.at;
    const tagService = new TagService({ decider, now });
    const ddfs = {
      tagService,
      replicasNow: async () => this.replicas,
      silentNodes: async () => this.silent,
      newBlob: async (name: string, { replicas = 1, include = [], exclude = [] }: NewBlobOptions = {}) =>
        this.#places(name, replicas, include, exclude),
    };
    this.keeper = new ResultKeeper({
      decider,
      now,
      readIndex: async (url) => {
        const listed = this.indexes.get(url);
        if (listed !== undefined) return listed;
        throw this.indexFailure ?? new DataError(`no such file: ${url}`, { code: "no-such-file" });
      },
      ddfs: async () => {
        if (this.ddfsFailure !== null) throw this.ddfsFailure;
        return ddfs;
      },
      calls: {
        adopt: async (host, message, bytes) => {
          await this.gate();
          const failure = this.adoptFailures.shift() ?? null;
          if (failure !== null) throw failure;
          this.adopted.push({ host, ...message });
          return stored(message.object, bytes);
        },
        copy: async (host, { object }: Said<CopyBlob>, bytes) => {
          const failure = this.copyFailures.shift() ?? null;
          if (failure !== null) throw failure;
          this.copied.push({ host, object });
          return stored(object, bytes);
        },
      },
    });
  }

  #places(name: string, replicas: number, include: readonly string[], exclude: readonly string[]): BlobTarget[] {
    if (this.store !== null) {
      if (include.length > 0) throw new DiscoError(`there is no node ${include[0]}`, { code: "unknown-node" });
      return [{ host: this.store, object: objectOf(name, this.#micros++), url: "" }];
    }
    const hosts = [...new Set([...include, "a", "b", "c"])].filter((host) => !exclude.includes(host));
    const object = objectOf(name, this.#micros++);
    return hosts.slice(0, replicas).map((host) => ({ host, object, url: "" }));
  }

  /** A job whose tasks are done. */
  job(save = { results: true, oob: true }): string {
    const { bench } = this;
    const name = bench.master.nextName("job", bench.at);
    bench.handle({ kind: "job-submitted", at: bench.at, job: name, spec: { ...jobSpec(), save } });
    bench.finish();
    return name;
  }

  /** Carries out all tries that are under way, to their end. */
  async save(): Promise<void> {
    for (const command of unsaved(this.bench.master.jobs.values())) this.keeper.keep(command);
    await this.settled();
  }

  async settled(): Promise<void> {
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  lines(tag: string): string[] {
    return [...(this.bench.master.tags.tag(tag)?.urls.lines() ?? [])];
  }
}

function stored(object: string, size: number): StoredBlob {
  return { object, volume: "vol0", size, storedAt: 0, digest: "d" };
}

describe("results of a job that brings its worker along", () => {
  const worker = { path: "bin/worker", packVersion: 1 } as const;
  const home = (host: string, job: string): string => `${host}/aa/${job}`;

  function submit(stand: Stand): string {
    const { bench } = stand;
    const name = bench.master.nextName("job", bench.at);
    const pipeline = [{ name: "s.0", grouping: "split" }] as const;
    const spec = { ...jobSpec({ worker }), pipeline, save: { results: true, oob: false } };
    bench.handle({ kind: "job-submitted", at: bench.at, job: name, spec });
    for (const run of [...bench.runs]) {
      const file = `${home(run.host, name)}/.disco/s0-${run.task}-${run.attempt}.results`;
      bench.runs = bench.runs.filter((one) => one !== run);
      const { job, stage, task, attempt } = run;
      const output = { ...outputOf(run.host, task), index: `dir://${run.host}/disco/${file}` };
      const ref = { ...output.ref, file, at: 0 };
      bench.handle({ kind: "task-done", at: bench.at, job, stage, task, attempt, output: { ...output, ref } });
    }
    return name;
  }

  it("are the files that its indexes list, in their order, several of one label among them; addresses are linked as they are", async () => {
    const stand = new Stand();
    const job = submit(stand);
    const { outputs } = stand.bench.job(job).stages[0] ?? assert.fail();
    const [first, second] = [outputs.host(0), outputs.host(1)];
    const own = (host: string, path: string): string => `disco://${host}/disco/${home(host, job)}/${path}`;
    stand.indexes.set(outputs.index(0) ?? "", [
      { label: 0, url: own(first, "a/b"), size: 3 },
      { label: 0, url: own(first, "c"), size: 4 },
      { label: 1, url: "disco://elsewhere/ddfs/vol0/blob/aa/x$1-2-3", size: 5 },
    ]);
    stand.indexes.set(outputs.index(1) ?? "", [
      { label: 0, url: own(second, "d"), size: 6 },
      { label: 0, url: `disco://${second}/disco/${second}/bb/another@1:2:3/e`, size: 7 },
      { label: 2, url: "tag://made:by:hand", size: 0 },
    ]);
    await stand.save();
    assert.deepEqual(stand.bench.master.result(job).results, [`tag://${resultsTag(job)}`]);
    assert.deepEqual(
      stand.adopted.map(({ host, file, label }) => [host, file, label]),
      [
        [first, `${home(first, job)}/a/b`, undefined],
        [first, `${home(first, job)}/c`, undefined],
        [second, `${home(second, job)}/d`, undefined],
      ],
    );
    const lines = stand.lines(resultsTag(job)).map((line) => line.split("\t"));
    assert.deepEqual(
      lines.map(({ length }) => length),
      [2, 2, 1, 2, 1, 1],
    );
    assert.match(lines[1]?.[0] ?? "", new RegExp(`/${job}-s_0-0-1\\$`));
    assert.equal(lines[2]?.[0], "disco://elsewhere/ddfs/vol0/blob/aa/x$1-2-3");
    assert.equal(lines[5]?.[0], "tag://made:by:hand");
  });

  it("are made again when an index is gone, and only then", async () => {
    const stand = new Stand();
    const job = submit(stand);
    const index = (task: number): string => stand.bench.job(job).stages[0]?.outputs.index(task) ?? "";
    stand.indexes.set(index(0), []);
    stand.indexFailure = new CommError("no answer", { code: "peer-unreachable" });
    await stand.save();
    assert.deepEqual(stand.bench.running(), [], "its node may come back");
    stand.indexFailure = null;
    stand.bench.wake();
    await stand.save();
    assert.deepEqual(stand.bench.running(), [`0:1#1@${stand.bench.runs[0]?.host}`]);
    stand.bench.finish();
    stand.indexes.set(index(1), []);
    await stand.save();
    assert.equal(stand.bench.master.result(job).status, "ready");
    assert.deepEqual(stand.lines(resultsTag(job)), []);
  });
});

describe("results that are saved", () => {
  it("are adopted where they lie, copied to other nodes, tagged in their order, and only then the job is ready", async () => {
    const stand = new Stand();
    const job = stand.job();
    const { outputs } = stand.bench.job(job).stages.at(-1) ?? assert.fail();
    const hosts = Array.from({ length: outputs.count }, (_, task) => outputs.host(task));
    await stand.save();
    assert.deepEqual(stand.bench.master.result(job).results, [`tag://${resultsTag(job)}`]);
    assert.deepEqual(
      stand.adopted.map(({ host }) => host),
      hosts,
    );
    const lines = stand.lines(resultsTag(job));
    assert.equal(lines.length, stand.adopted.length);
    for (const [i, line] of lines.entries()) {
      const [first = "", second = "", ...more] = line.split("\t");
      assert.ok(first.startsWith(`disco://${hosts[i]}/ddfs/vol0/blob/`));
      assert.ok(first.includes(`/${job}-`));
      assert.notEqual(second.split("/")[2], hosts[i]);
      assert.deepEqual(more, []);
    }
    assert.deepEqual(
      stand.events.map(({ kind }) => kind),
      ["tag-changed", "results-saved"],
    );
  });

  it("are made again when their file is gone, and adopted then; what was adopted before is not adopted twice", async () => {
    const stand = new Stand();
    stand.adoptFailures.push(new DataError("it is not there", { code: "no-such-file" }));
    const job = stand.job();
    await stand.save();
    assert.equal(stand.bench.job(job).saving, null);
    const before = stand.adopted.length;
    stand.bench.finish();
    await stand.save();
    assert.equal(stand.bench.master.result(job).status, "ready");
    assert.equal(stand.adopted.length, before + 1);
    assert.equal(new Set(stand.lines(resultsTag(job))).size, stand.adopted.length);
  });

  it("are tried again after a pause when a node does not answer, without what was done", async () => {
    const stand = new Stand();
    stand.adoptFailures.push(new CommError("no answer", { code: "bus-timeout" }));
    const job = stand.job();
    await stand.save();
    assert.equal(stand.bench.master.result(job).status, "active");
    assert.equal(stand.lines(resultsTag(job)).length, 0);
    stand.bench.wake();
    await stand.save();
    assert.equal(stand.bench.master.result(job).status, "ready");
  });

  it("are copied elsewhere when a node takes no copy", async () => {
    const stand = new Stand();
    stand.copyFailures.push(new DiscoError("full", { code: "disk-full" }));
    const job = stand.job();
    await stand.save();
    assert.equal(stand.bench.master.result(job).status, "ready");
    for (const line of stand.lines(resultsTag(job)))
      assert.equal(new Set(line.split("\t").map((url) => url.split("/")[2])).size, 2);
  });

  it("wait for nodes that a new master has not heard yet, and not for ever", async () => {
    const stand = new Stand();
    stand.silent = ["b"];
    const job = stand.job();
    for (let tries = 1; tries <= 3; tries++) {
      await stand.save();
      assert.deepEqual(stand.adopted, []);
      stand.bench.wake();
    }
    await stand.save();
    assert.equal(stand.bench.master.result(job).status, "ready");
  });

  it("are in the store that stands for the nodes, where there is one", async () => {
    const stand = new Stand();
    stand.store = "s3://bucket/prefix";
    stand.replicas = 1;
    const job = stand.job();
    await stand.save();
    assert.equal(stand.bench.master.result(job).status, "ready");
    const lines = stand.lines(resultsTag(job));
    assert.ok(lines.length > 0 && lines.every((line) => /^s3:\/\/bucket\/prefix\/blob\/..\/[^\t]+$/.test(line)));
    assert.deepEqual(stand.copied, []);
  });

  it("end with the job that is killed meanwhile: no tag is left", async () => {
    const stand = new Stand();
    const gate = Promise.withResolvers<void>();
    stand.gate = () => gate.promise;
    const job = stand.job();
    const saving = stand.save();
    stand.bench.handle({ kind: "job-killed", at: stand.bench.at, job });
    gate.resolve();
    await saving;
    await stand.settled();
    assert.equal(stand.bench.master.result(job).status, "dead");
    assert.equal(stand.bench.master.tags.tag(resultsTag(job)), undefined);
  });

  it("are of the job's present outputs: a try is over when one is lost, and the next one makes the tag", async () => {
    const stand = new Stand();
    const gate = Promise.withResolvers<void>();
    stand.gate = () => gate.promise;
    const job = stand.job();
    const lost = stand.bench.job(job).stages.at(-1)?.outputs.host(0) ?? "";
    const saving = stand.save();
    stand.bench.handle({ kind: "node-lost", at: stand.bench.at, host: lost, reason: "it is silent" });
    gate.resolve();
    await saving;
    await stand.settled();
    assert.equal(stand.bench.master.tags.tag(resultsTag(job)), undefined);
    stand.bench.finish();
    await stand.save();
    assert.equal(stand.bench.master.result(job).status, "ready");
    assert.ok(stand.lines(resultsTag(job)).every((line) => !line.startsWith(`disco://${lost}/`)));
  });

  it("are saved by the next master as well, once: its tag replaces the one that was half made", async () => {
    const stand = new Stand();
    const job = stand.job();
    const command = unsaved(stand.bench.master.jobs.values())[0] ?? assert.fail();
    stand.keeper.keep(command);
    stand.keeper.keep(command);
    await stand.settled();
    assert.equal(stand.events.filter(({ kind }) => kind === "results-saved").length, 1);
    stand.keeper.keep(command);
    await stand.settled();
    assert.equal(stand.events.filter(({ kind }) => kind === "tag-changed").length, 1);
    assert.equal(stand.bench.master.result(job).status, "ready");
  });

  it("need DDFS: without it a try has failed, and leaves no tag", async () => {
    const stand = new Stand();
    stand.ddfsFailure = new DiscoError("another engine has it", { code: "root-busy" });
    const job = stand.job();
    await stand.save();
    assert.equal(stand.bench.master.result(job).status, "active");
    assert.deepEqual(
      stand.events.map(({ kind }) => kind),
      ["results-not-saved"],
    );
    assert.equal(stand.bench.master.tags.tag(oobTag(job)), undefined);
  });
});
