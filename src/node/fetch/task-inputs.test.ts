import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, type TestContext } from "node:test";
import { DiscoError } from "../../errors.ts";
import { decodeManifest, encodeManifest } from "../../protocol/manifest-file.ts";
import { outputFramesType } from "../../protocol/output-frames.ts";
import { openStage } from "../../worker/stage-input.ts";
import { SegmentFile } from "../../worker/storage/segment-file.ts";
import { writeTask } from "../../worker/storage/storage.test-kit.ts";
import { createDataServer } from "../data-server/data-server.ts";
import { jobDirectory } from "../job-directory.ts";
import type { JobHome } from "../job-home.ts";
import { MissingOutput, type WantedOutput } from "./missing-output.ts";
import { Peers } from "./peers.ts";
import { TaskInputs } from "./task-inputs.ts";

const job = "count@6a1:2:3";
const id = { job, stage: 1, task: 7, attempt: 0 };
const labels = 3;

type Answer = (request: IncomingMessage, response: ServerResponse, serve: () => Promise<void>) => unknown;

interface Stand {
  readonly inputs: TaskInputs;
  readonly home: JobHome;
  readonly outputs: WantedOutput[];
  readonly manifestFile: string;
  /** Requests that each node was sent. */
  readonly asked: Map<string, number>;
  readonly dataDir: (host: string) => string;
  readonly answer: Map<string, Answer>;
  records(file: string, label?: number): unknown[];
}

/** Nodes `a` (which reads), `b` and `c`, each with its own disk and data server and two outputs. */
async function stand(
  t: TestContext,
  options: { token?: string; patienceMs?: number; idleMs?: number } = {},
): Promise<Stand> {
  const root = await mkdtemp(join(tmpdir(), "disco-fetch-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const dataDir = (host: string): string => join(root, host);
  const asked = new Map<string, number>();
  const answer = new Map<string, Answer>();
  const urls = new Map<string, string>();
  const outputs: WantedOutput[] = [];
  for (const [number, host] of ["a", "b", "c"].entries()) {
    const file = `${jobDirectory(host, job)}/.disco/s0.seg`;
    const segment = SegmentFile.create(join(dataDir(host), file));
    for (const task of [number, number + 3]) {
      const pairs = Array.from({ length: 2_000 }, (_, i) => [`${host}-${task}-${i % 700}`, i] as const);
      const { at, length, digest } = writeTask(segment, pairs, { partitions: labels });
      outputs.push({ task, ref: { host, file, at, length, digest } });
    }
    segment.close();
    const serve = createDataServer({ dataDir: dataDir(host), host });
    const server = http.createServer((request, response) => {
      asked.set(host, (asked.get(host) ?? 0) + 1);
      const plain = (): Promise<void> => serve(request, response);
      void (answer.get(host) ?? plain)(request, response, plain);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    urls.set(host, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  outputs.sort((x, y) => x.task - y.task);
  const jobDir = jobDirectory("a", job);
  const systemDir = join(dataDir("a"), jobDir, ".disco");
  const home = { job, jobDir, systemDir } as JobHome;
  const manifestFile = join(systemDir, "manifest-0-1.json");
  writeFileSync(manifestFile, encodeManifest({ stage: 0, version: 1, outputs }));
  const { token, patienceMs = 300, idleMs = 20_000 } = options;
  const peers = new Peers({ urlOf: (host) => urls.get(host), token, idleMs });
  const inputs = new TaskInputs({ host: "a", peers, patienceMs });
  t.after(() => inputs.close());
  const records = (file: string, label?: number): unknown[] => {
    const input = { kind: "stage" as const, stage: 0, version: 1, ...(label === undefined ? {} : { label }) };
    const source = { input, manifestFile: file, dataDir: dataDir("a"), isFormatted: false, stageName: "map" };
    const opened = openStage(source, { bytesIn: 0 } as never);
    try {
      return [...opened.records({ sort: false, budgetBytes: 1 << 20, scratchDir: systemDir })];
    } finally {
      opened.close();
    }
  };
  return { inputs, home, outputs, manifestFile, asked, dataDir, answer, records };
}

const input = { kind: "stage", stage: 0, version: 1 } as const;

/** All that lies at the three nodes, in the order of tasks: as if one disk held it. */
function expected(label?: number): unknown[] {
  return Array.from({ length: 6 }, (_, task) => {
    const host = ["a", "b", "c"][task % 3];
    const pairs = Array.from({ length: 2_000 }, (_unused, i) => [`${host}-${task}-${i % 700}`, i]);
    const ofLabel = (wanted: number): unknown[] => pairs.filter((_pair, i) => i % labels === wanted);
    return label === undefined ? [0, 1, 2].flatMap(ofLabel) : ofLabel(label);
  }).flat();
}

it("brings one label of all nodes' outputs, with one request a node", async (t) => {
  const { inputs, home, manifestFile, asked, records } = await stand(t);
  const file = await inputs.prepare(id, home, { ...input, label: 1 }, manifestFile);
  assert.deepEqual(records(file, 1), expected(1));
  assert.deepEqual(Object.fromEntries(asked), { b: 1, c: 1 });
});

it("brings all labels where a task reads all, and names the outputs as they were", async (t) => {
  const { inputs, home, manifestFile, records, outputs } = await stand(t);
  const file = await inputs.prepare(id, home, input, manifestFile);
  assert.deepEqual(records(file), expected());
  const listed = decodeManifest(readFileSync(file, "utf8")).outputs;
  assert.deepEqual(
    listed.map(({ task, ref }) => ({ task, ref })),
    outputs,
  );
});

it("asks nobody when all that the task reads lies here", async (t) => {
  const { inputs, home, manifestFile, asked } = await stand(t);
  assert.equal(await inputs.prepare(id, home, { ...input, host: "a" }, manifestFile), manifestFile);
  assert.equal(await inputs.prepare(id, home, { ...input, task: 3 }, manifestFile), manifestFile);
  assert.equal(asked.size, 0);
});

it("fetches nothing but the one output of a task that reads one", async (t) => {
  const { inputs, home, manifestFile, records, asked } = await stand(t);
  const file = await inputs.prepare(id, home, { ...input, task: 4 }, manifestFile);
  assert.equal(decodeManifest(readFileSync(file, "utf8")).outputs.length, 1);
  assert.equal(records(file).length, 2_000);
  assert.deepEqual([...asked], [["b", 1]]);
});

it("deletes a task's files when it has ended, and keeps those of others", async (t) => {
  const { inputs, home, manifestFile, records } = await stand(t);
  const other = { ...id, task: 8 };
  await inputs.prepare(id, home, { ...input, label: 1 }, manifestFile);
  const kept = await inputs.prepare(other, home, { ...input, label: 2 }, manifestFile);
  inputs.drop(id);
  await inputs.forget("another job");
  while (readdirSync(home.systemDir).some((name) => name.startsWith("fetched-1-7-"))) await new Promise(setImmediate);
  assert.deepEqual(records(kept, 2), expected(2));
  await inputs.forget(job);
  assert.deepEqual(
    readdirSync(home.systemDir).filter((name) => name.startsWith("fetched")),
    [],
  );
});

it("goes on behind the outputs that came when a connection is cut in the middle", async (t) => {
  const { inputs, home, manifestFile, answer, asked, records } = await stand(t, { patienceMs: 5_000 });
  let cuts = 0;
  const sizes: number[] = [];
  answer.set("b", async (request, response, serve) => {
    request.on("data", (chunk: Buffer) => sizes.push((JSON.parse(chunk.toString()) as { outputs: [] }).outputs.length));
    let sent = 0;
    const write = response.write.bind(response) as (...args: unknown[]) => boolean;
    response.write = ((chunk: Buffer, ...rest: unknown[]) => {
      sent += chunk.length;
      // Behind the first output of two.
      if (cuts < 2 && sent > 16_000 * (1 - cuts)) {
        cuts++;
        response.destroy();
        return false;
      }
      return write(chunk, ...rest);
    }) as never;
    await serve();
  });
  const file = await inputs.prepare(id, home, { ...input, label: 0 }, manifestFile);
  assert.deepEqual(records(file, 0), expected(0));
  assert.equal(asked.get("b"), 3);
  assert.equal(cuts, 2);
  assert.ok((sizes.at(-1) ?? 0) <= (sizes[0] ?? 0), sizes.join());
});

it("names the output that the other node does not have any more", async (t) => {
  const { inputs, home, manifestFile, dataDir, outputs, asked } = await stand(t);
  rmSync(join(dataDir("c"), jobDirectory("c", job), ".disco", "s0.seg"));
  await assert.rejects(inputs.prepare(id, home, { ...input, label: 0 }, manifestFile), (error) => {
    assert.ok(error instanceof MissingOutput);
    assert.deepEqual(error.output, outputs[2]);
    assert.match(error.message, /from node c: the file is not there/);
    return true;
  });
  assert.equal(asked.get("c"), 1, "it is not asked twice");
});

it("names the output whose directory is damaged on the other disk", async (t) => {
  const { inputs, home, manifestFile, dataDir, outputs } = await stand(t);
  const { ref } = outputs[4] as WantedOutput;
  const file = join(dataDir("b"), ref.file);
  const bytes = readFileSync(file);
  bytes[ref.at + 9] = (bytes[ref.at + 9] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  await assert.rejects(
    inputs.prepare(id, home, { ...input, label: 0 }, manifestFile),
    (error) => error instanceof MissingOutput && error.output.task === 4 && /checksum differs/.test(error.message),
  );
});

it("passes blocks on as they lie on the disk: a damaged one is named by the task that reads it", async (t) => {
  const { inputs, home, manifestFile, dataDir, outputs, records } = await stand(t);
  const first = outputs[1] as WantedOutput;
  const file = join(dataDir("b"), first.ref.file);
  const bytes = readFileSync(file);
  bytes[100] = (bytes[100] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  const fetched = await inputs.prepare(id, home, input, manifestFile);
  assert.throws(
    () => records(fetched),
    (error) => {
      assert.ok(error instanceof DiscoError && error.code === "input-lost");
      assert.deepEqual((error as DiscoError & { origin: unknown }).origin, first);
      return true;
    },
  );
});

const lies: Readonly<Record<string, Answer>> = {
  "damages what it sends": async (_request, response, serve) => {
    const write = response.write.bind(response) as (...args: unknown[]) => boolean;
    response.write = ((chunk: Buffer, ...rest: unknown[]) => {
      const copy = Buffer.from(chunk);
      if (copy.length > 1_000) copy[500] = (copy[500] ?? 0) ^ 4;
      return write(copy, ...rest);
    }) as never;
    await serve();
  },
  "answers 200 with an error page": (_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>");
  },
  "sends garbage of the right type": (_request, response) => {
    response.writeHead(200, { "content-type": outputFramesType }).end("x".repeat(5_000));
  },
  "ends its answer early without a word": (_request, response) => {
    response.writeHead(200, { "content-type": outputFramesType }).end();
  },
  "cuts every connection": (request) => {
    request.socket.destroy();
  },
  "is always busy": (_request, response) => {
    response.writeHead(503).end();
  },
};

for (const [what, answer] of Object.entries(lies)) {
  it(`gives up a node that ${what}, names the output, and leaves no file`, async (t) => {
    const { inputs, home, manifestFile, answer: answers, outputs, asked } = await stand(t);
    answers.set("b", answer);
    await assert.rejects(
      inputs.prepare(id, home, { ...input, label: 0 }, manifestFile),
      (error) =>
        error instanceof MissingOutput && error.output.task === outputs[1]?.task && error.code === "input-lost",
    );
    assert.ok((asked.get("b") ?? 0) > 1, "it is asked again before");
    await inputs.forget(job);
    while (readdirSync(home.systemDir).some((name) => name.startsWith("fetched"))) await new Promise(setImmediate);
  });
}

it("gives up a node that takes the question and is silent", async (t) => {
  const { inputs, home, manifestFile, answer } = await stand(t, { idleMs: 50 });
  answer.set("c", () => undefined);
  await assert.rejects(
    inputs.prepare(id, home, { ...input, label: 0 }, manifestFile),
    (error) => error instanceof MissingOutput && /not a byte came/.test(error.message),
  );
});

it("waits for a node that is slow as long as bytes come", async (t) => {
  const { inputs, home, manifestFile, answer, records } = await stand(t, { idleMs: 200, patienceMs: 200 });
  answer.set("c", async (_request, response, serve) => {
    const write = response.write.bind(response) as (chunk: Buffer, ...rest: unknown[]) => boolean;
    response.write = ((chunk: Buffer, done: unknown) => {
      setTimeout(() => write(chunk, done), 60);
      return true;
    }) as never;
    const end = response.end.bind(response) as () => ServerResponse;
    response.end = (() => {
      setTimeout(end, 120);
      return response;
    }) as never;
    await serve();
  });
  const file = await inputs.prepare(id, home, { ...input, label: 2 }, manifestFile);
  assert.deepEqual(records(file, 2), expected(2));
});

it("says that the token is wrong, which no other try would mend", async (t) => {
  const { inputs, home, manifestFile, answer, asked } = await stand(t, { token: "wrong" });
  answer.set("b", (request, response) => {
    assert.equal(request.headers.authorization, "Bearer wrong");
    response.writeHead(401).end();
  });
  await assert.rejects(inputs.prepare(id, home, { ...input, label: 0 }, manifestFile), {
    code: "peer-refused",
    retry: "elsewhere",
  });
  assert.equal(asked.get("b"), 1);
});

it("ends fetches of an attempt that is dropped, and of a job that ends", async (t) => {
  const { inputs, home, manifestFile, answer } = await stand(t);
  const silent: { reached?: () => void } = {};
  answer.set("b", () => silent.reached?.());
  for (const end of [() => inputs.drop(id), () => inputs.forget(job)]) {
    const reached = new Promise<void>((resolve) => (silent.reached = resolve));
    const preparing = inputs.prepare(id, home, { ...input, label: 0 }, manifestFile);
    await reached;
    const ended = end();
    await assert.rejects(preparing, { name: "AbortError" });
    await ended;
  }
});

it("gives nothing but outputs of the job's own", async (t) => {
  const { dataDir, inputs, home, manifestFile, outputs } = await stand(t);
  const secret = join(dataDir("b"), "b", "secret.seg");
  mkdirSync(join(dataDir("b"), jobDirectory("b", "other@1")), { recursive: true });
  const { ref } = outputs[1] as WantedOutput;
  writeFileSync(secret, readFileSync(join(dataDir("b"), ref.file)));
  assert.ok(existsSync(secret));
  for (const file of [
    "b/secret.seg",
    `${jobDirectory("b", job)}/.disco/../../../secret.seg`,
    `${jobDirectory("b", "other@1")}/.disco/s0.seg`,
    `/${ref.file}`,
    `${jobDirectory("b", job)}/jobfile`,
  ]) {
    const moved = { task: 1, ref: { ...ref, file } };
    writeFileSync(manifestFile, encodeManifest({ stage: 0, version: 1, outputs: [moved] }));
    await inputs.forget(job);
    await assert.rejects(inputs.prepare(id, home, input, manifestFile), /no file of outputs of this job/);
  }
});
