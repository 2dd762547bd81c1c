/**
 * Where a task's pairs go, by stage and format:
 *
 *   intermediate  blocks in the worker's segment file       a user's format: its bytes as values of such records, so that
 *                                                           checksums, digests and loss are the same for both
 *   final         a file of blocks a label                  a user's format: a plain file of its bytes a label
 *
 * and, for the final stage, an index over the files, and checksums of those that have none inside. Nothing is renamed: names contain task and attempt.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { LabelSize, OutputRef } from "../core/job/spec.ts";
import { type Checksum, checksumsFile, formatChecksums, indexFile } from "../protocol/checksums.ts";
import { unknownHash } from "../protocol/hash.ts";
import { formatIndex } from "../schemes/dir.ts";
import type { PairWriter } from "./emit.ts";
import { FinalWriter } from "./storage/final-writer.ts";
import { diskError, type SegmentFile, writeAll } from "./storage/segment-file.ts";
import { TaskWriter } from "./storage/task-writer.ts";
import { ChunkedSink, FormattedWriter, type OutputFile, type OutputFormat } from "./streams/output-chain.ts";

export interface OutputPlan {
  readonly host: string;
  readonly dataDir: string;
  /** The job's home, relative to `dataDir`. */
  readonly jobDir: string;
  /** `STAGE-TASK-ATTEMPT`. */
  readonly name: string;
  readonly partitions: number | null;
  readonly label: number;
  readonly sorted: boolean;
  /** `null`: our own blocks. */
  readonly format: OutputFormat | null;
  readonly budgetBytes: number;
  readonly recordBytesMax: number;
}

export interface FinishedOutput {
  readonly ref: OutputRef;
  readonly labels: readonly LabelSize[];
  readonly index?: string;
}

export interface TaskOutputWriter extends PairWriter {
  /** Writes what waits in buffers. */
  spill(): void;
  finish(): FinishedOutput;
  /** Takes back what was written. */
  abort(): void;
}

/** Output of a stage that others read. */
export function intermediateOutput(plan: OutputPlan, segment: SegmentFile): TaskOutputWriter {
  const file = relative(plan.dataDir, segment.path);
  const { partitions, label, budgetBytes, recordBytesMax, format } = plan;
  const sorted = plan.sorted && format === null;
  const writer = new TaskWriter({ segment, partitions, label, sorted, budgetBytes, recordBytesMax });
  const formatted =
    format === null
      ? null
      : new FormattedWriter(format, (partition) => {
          const sink = new ChunkedSink((chunk) => writer.add(partition, null, chunk, unknownHash));
          const url = `${plan.name}.${partition}`;
          return { url, write: (data) => sink.write(data), close: () => sink.flush() };
        });
  const target: PairWriter = formatted ?? writer;
  return {
    add: (partition, key, value, hash) => target.add(partition, key, value, hash),
    addBatch: formatted === null ? (partition, batch) => writer.addBatch(partition, batch) : undefined,
    spill: () => writer.spill(),
    abort: () => writer.abort(),
    finish() {
      const records = formatted?.finish();
      const { at, length, digest, labels } = writer.finish();
      const sizes =
        records === undefined ? labels : labels.map((size) => ({ ...size, records: records.get(size.label) ?? 0 }));
      return { ref: { host: plan.host, file, at, length, digest }, labels: sizes };
    },
  };
}

/** Results of the job. */
export function finalOutput(plan: OutputPlan): TaskOutputWriter {
  if (plan.format === null) {
    const writer = new FinalWriter(plan);
    return {
      add: (partition, key, value, hash) => writer.add(partition, key, value, hash),
      addBatch: (partition, batch) => writer.addBatch(partition, batch),
      spill: () => writer.spill(),
      abort: () => writer.abort(),
      finish() {
        const { files, digest } = writer.finish();
        return index(plan, files, digest);
      },
    };
  }
  const files = new Map<number, PlainFile>();
  const writer = new FormattedWriter(plan.format, (partition) => {
    const file = new PlainFile(plan, partition);
    files.set(partition, file);
    return file;
  });
  return {
    add: (partition, key, value) => writer.add(partition, key, value),
    // Bytes of a user's format wait in sinks of a fixed size, and hold nothing else.
    spill: () => {},
    abort() {
      for (const file of files.values()) file.remove();
    },
    finish() {
      const records = writer.finish();
      const hash = createHash("sha256");
      const checksums: Checksum[] = [];
      const written = [...records].map(([label, count]) => {
        const file = files.get(label) as PlainFile;
        const digest = file.digest();
        hash.update(`${label} ${digest}\n`);
        checksums.push({ file: basename(file.name), digest });
        return { label, file: file.name, bytes: file.bytes, records: count };
      });
      if (checksums.length > 0) {
        writeBeside(plan, `${plan.jobDir}/${checksumsFile(plan.name)}`, formatChecksums(checksums));
      }
      return index(plan, written, hash.digest("hex"));
    },
  };
}

function index(
  plan: OutputPlan,
  files: readonly (LabelSize & { readonly file: string })[],
  digest: string,
): FinishedOutput {
  const base = `${plan.host}/disco/`;
  const text = formatIndex(
    files.map(({ label, file, bytes }) => ({ label, url: `disco://${base}${file}`, size: bytes })),
  );
  const name = `${plan.jobDir}/${indexFile(plan.name, text)}`;
  writeBeside(plan, name, text);
  return {
    ref: { host: plan.host, file: name, at: 0, length: Buffer.byteLength(text), digest },
    labels: files.map(({ label, bytes, records }) => ({ label, bytes, records })),
    index: `dir://${base}${name}`,
  };
}

function writeBeside(plan: OutputPlan, name: string, text: string): void {
  const path = join(plan.dataDir, name);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } catch (error) {
    throw diskError(error, path);
  }
}

/** A result file in a user's format. */
class PlainFile implements OutputFile {
  readonly name: string;
  readonly url: string;
  readonly #path: string;
  readonly #fd: number;
  readonly #hash: Hash = createHash("sha256");
  readonly #sink: ChunkedSink;
  #open = true;

  constructor(plan: OutputPlan, partition: number) {
    this.name = `${plan.jobDir}/${plan.name}.${partition}.out`;
    this.url = `disco://${plan.host}/disco/${this.name}`;
    this.#path = join(plan.dataDir, this.name);
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#fd = openSync(this.#path, "w");
    } catch (error) {
      throw diskError(error, this.#path);
    }
    this.#sink = new ChunkedSink((chunk) => this.#append(chunk));
  }

  get bytes(): number {
    return this.#sink.bytes;
  }

  write(chunk: Uint8Array | string): void {
    this.#sink.write(chunk);
  }

  close(): void {
    if (!this.#open) return;
    this.#sink.flush();
    this.#open = false;
    closeSync(this.#fd);
  }

  digest(): string {
    return this.#hash.digest("hex");
  }

  remove(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
    rmSync(this.#path, { force: true });
  }

  #append(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    try {
      writeAll(this.#fd, chunk, null);
    } catch (error) {
      throw diskError(error, this.#path);
    }
  }
}
