/**
 * The outputs of a stage's tasks, in columns: a job may have a million tasks, and an object graph an output (reference,
 * label sizes, strings that repeat) would cost a kilobyte each. Here it is about 110 bytes and 24 a label.
 *
 * An output stays in its row when it is lost, until the task is done again: the old digest tells whether consumers of
 * the old one have to run again.
 */
import type { OutputColumns } from "./output-columns.ts";
import type { LabelSize, OobRef, OutputRef, TaskOutput } from "./spec.ts";

/** Numbers of one label in `labels`. */
const labelWidth = 3;

export class Outputs {
  readonly count: number;
  /** Tables of the strings that repeat; a row of `file` points into both. */
  readonly #hosts: string[] = [];
  readonly #files: string[] = [];
  readonly #fileIds = new Map<string, number>();
  readonly #file: Int32Array;
  readonly #at: Float64Array;
  readonly #length: Float64Array;
  readonly #digest: (string | undefined)[];
  readonly #labelStart: Int32Array;
  readonly #labelCount: Int32Array;
  readonly #recordsIn: Float64Array;
  readonly #recordsOut: Float64Array;
  readonly #bytesIn: Float64Array;
  readonly #index = new Map<number, string>();
  readonly #oob = new Map<number, readonly OobRef[]>();
  #labels = new Float64Array(labelWidth * 16);
  #labelsUsed = 0;
  /** Sums over the outputs in place. */
  recordsIn = 0;
  recordsOut = 0;
  bytesIn = 0;

  constructor(count: number) {
    this.count = count;
    this.#file = new Int32Array(count).fill(-1);
    this.#at = new Float64Array(count);
    this.#length = new Float64Array(count);
    this.#digest = new Array<string | undefined>(count);
    this.#labelStart = new Int32Array(count);
    this.#labelCount = new Int32Array(count);
    this.#recordsIn = new Float64Array(count);
    this.#recordsOut = new Float64Array(count);
    this.#bytesIn = new Float64Array(count);
  }

  has(task: number): boolean {
    return (this.#file[task] ?? -1) >= 0;
  }

  set(task: number, output: TaskOutput): void {
    this.#account(task, -1);
    const ref = output.ref;
    this.#file[task] = this.#fileId(ref.host, ref.file);
    this.#at[task] = ref.at;
    this.#length[task] = ref.length;
    this.#digest[task] = ref.digest;
    this.#setLabels(task, output.labels);
    this.#recordsIn[task] = output.recordsIn;
    this.#recordsOut[task] = output.recordsOut;
    this.#bytesIn[task] = output.bytesIn;
    if (output.index === undefined) this.#index.delete(task);
    else this.#index.set(task, output.index);
    if (output.oob === undefined || output.oob.length === 0) this.#oob.delete(task);
    else this.#oob.set(task, output.oob);
    this.#account(task, 1);
  }

  ref(task: number): OutputRef {
    const id = this.#file[task] as number;
    return {
      host: this.#hosts[id] as string,
      file: this.#files[id] as string,
      at: this.#at[task] as number,
      length: this.#length[task] as number,
      digest: this.#digest[task] as string,
    };
  }

  /** Whether an output lies, or lay, on the node. */
  liesOn(host: string): boolean {
    return this.#hosts.includes(host);
  }

  host(task: number): string {
    return this.#hosts[this.#file[task] as number] as string;
  }

  digest(task: number): string {
    return this.#digest[task] as string;
  }

  /** Whether this very output (place and contents) is the one in the row. */
  is(task: number, ref: OutputRef): boolean {
    if (!this.has(task)) return false;
    const id = this.#file[task] as number;
    return (
      this.#hosts[id] === ref.host &&
      this.#files[id] === ref.file &&
      this.#at[task] === ref.at &&
      this.#digest[task] === ref.digest
    );
  }

  labels(task: number): LabelSize[] {
    const sizes: LabelSize[] = [];
    this.eachLabel(task, (label, bytes, records) => sizes.push({ label, bytes, records }));
    return sizes;
  }

  eachLabel(task: number, visit: (label: number, bytes: number, records: number) => void): void {
    let at = this.#labelStart[task] as number;
    for (let left = this.#labelCount[task] as number; left > 0; left--, at += labelWidth) {
      visit(this.#labels[at] as number, this.#labels[at + 1] as number, this.#labels[at + 2] as number);
    }
  }

  index(task: number): string | undefined {
    return this.#index.get(task);
  }

  oob(task: number): readonly OobRef[] {
    return this.#oob.get(task) ?? [];
  }

  /** Tasks with out-of-band values, ascending. */
  tasksWithOob(): number[] {
    return [...this.#oob.keys()].sort((a, b) => a - b);
  }

  records(task: number): { recordsIn: number; recordsOut: number } {
    return { recordsIn: this.#recordsIn[task] as number, recordsOut: this.#recordsOut[task] as number };
  }

  columns(): OutputColumns {
    const tasks: number[] = [];
    const files: [string, string][] = [];
    const numbers = new Map<number, number>();
    const label: number[] = [];
    const labelBytes: number[] = [];
    const labelRecords: number[] = [];
    for (let task = 0; task < this.count; task++) {
      const id = this.#file[task] as number;
      if (id < 0) continue;
      tasks.push(task);
      if (!numbers.has(id)) {
        numbers.set(id, files.length);
        files.push([this.#hosts[id] as string, this.#files[id] as string]);
      }
      this.eachLabel(task, (name, bytes, records) => {
        label.push(name);
        labelBytes.push(bytes);
        labelRecords.push(records);
      });
    }
    const numbersOf = (column: ArrayLike<number>): number[] => tasks.map((task) => column[task] as number);
    return {
      tasks,
      files,
      file: tasks.map((task) => numbers.get(this.#file[task] as number) as number),
      at: numbersOf(this.#at),
      length: numbersOf(this.#length),
      digest: tasks.map((task) => this.#digest[task] as string),
      recordsIn: numbersOf(this.#recordsIn),
      recordsOut: numbersOf(this.#recordsOut),
      bytesIn: numbersOf(this.#bytesIn),
      labelCount: numbersOf(this.#labelCount),
      label,
      labelBytes,
      labelRecords,
      index: [...this.#index].sort(([a], [b]) => a - b),
      oob: [...this.#oob].sort(([a], [b]) => a - b),
    };
  }

  /** Enters what `columns` gave. It has to be empty. */
  fill(columns: OutputColumns): void {
    const ids = columns.files.map(([host, file]) => this.#fileId(host, file));
    const { label, labelBytes, labelRecords } = columns;
    this.#labels = new Float64Array(Math.max(label.length, 16) * labelWidth);
    label.forEach((name, n) => {
      this.#labels[n * labelWidth] = name;
      this.#labels[n * labelWidth + 1] = labelBytes[n] as number;
      this.#labels[n * labelWidth + 2] = labelRecords[n] as number;
    });
    columns.tasks.forEach((task, n) => {
      this.#file[task] = ids[columns.file[n] as number] as number;
      this.#at[task] = columns.at[n] as number;
      this.#length[task] = columns.length[n] as number;
      this.#digest[task] = columns.digest[n] as string;
      this.#recordsIn[task] = columns.recordsIn[n] as number;
      this.#recordsOut[task] = columns.recordsOut[n] as number;
      this.#bytesIn[task] = columns.bytesIn[n] as number;
      this.#labelStart[task] = this.#labelsUsed;
      this.#labelCount[task] = columns.labelCount[n] as number;
      this.#labelsUsed += (columns.labelCount[n] as number) * labelWidth;
      this.#account(task, 1);
    });
    for (const [task, address] of columns.index) this.#index.set(task, address);
    for (const [task, refs] of columns.oob) this.#oob.set(task, refs);
  }

  #fileId(host: string, file: string): number {
    const key = `${host}\n${file}`;
    let id = this.#fileIds.get(key);
    if (id === undefined) {
      id = this.#files.length;
      this.#hosts.push(host);
      this.#files.push(file);
      this.#fileIds.set(key, id);
    }
    return id;
  }

  #setLabels(task: number, labels: readonly LabelSize[]): void {
    const end = this.#labelsUsed + labels.length * labelWidth;
    if (end > this.#labels.length) {
      const grown = new Float64Array(Math.max(end, this.#labels.length * 2));
      grown.set(this.#labels);
      this.#labels = grown;
    }
    this.#labelStart[task] = this.#labelsUsed;
    this.#labelCount[task] = labels.length;
    for (const { label, bytes, records } of labels) {
      this.#labels[this.#labelsUsed++] = label;
      this.#labels[this.#labelsUsed++] = bytes;
      this.#labels[this.#labelsUsed++] = records;
    }
  }

  #account(task: number, sign: 1 | -1): void {
    if (!this.has(task)) return;
    this.recordsIn += sign * (this.#recordsIn[task] as number);
    this.recordsOut += sign * (this.#recordsOut[task] as number);
    this.bytesIn += sign * (this.#bytesIn[task] as number);
  }
}
