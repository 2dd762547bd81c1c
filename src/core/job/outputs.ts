/**
 * The outputs of a stage's tasks, in columns: a job may have a million tasks, and an object graph an output (reference,
 * label sizes, strings that repeat) would cost a kilobyte each. Here it is about 110 bytes and 24 a label. The numbers of an output
 * lie side by side in one array: of a job among ten thousand nothing is in the processor's cache, and what lies together is fetched
 * together.
 *
 * An output stays in its row when it is lost, until the task is done again: the old digest tells whether consumers of
 * the old one have to run again.
 */
import type { OutputColumns } from "./output-columns.ts";
import type { LabelSize, OobRef, OutputRef, TaskOutput } from "./spec.ts";

/** Numbers of one label in `labels`. */
const labelWidth = 3;

/** Numbers of one output in `#numbers`, and where each of them is. */
const width = 7;
const atAt = 0;
const lengthAt = 1;
const recordsInAt = 2;
const recordsOutAt = 3;
const bytesInAt = 4;
const labelStartAt = 5;
const labelCountAt = 6;

/** Room for labels that is made with the first output, at most: of a larger stage it grows as it is filled. */
const firstLabelsMax = 4_096;

const noNumbers = new Float64Array(0);

export class Outputs {
  #count: number;
  /** Tasks that have an output, lost or not. */
  size = 0;
  /** Tables of the strings that repeat; a row of `file` points into both. */
  readonly #hosts: string[] = [];
  readonly #files: string[] = [];
  readonly #fileIds = new Map<string, number>();
  #file: Int32Array;
  #numbers: Float64Array;
  readonly #digest: (string | undefined)[];
  readonly #index = new Map<number, string>();
  readonly #oob = new Map<number, readonly OobRef[]>();
  #labels = noNumbers;
  #labelsUsed = 0;
  /** Sums over the outputs in place. */
  recordsIn = 0;
  recordsOut = 0;
  bytesIn = 0;

  constructor(count: number) {
    this.#count = count;
    this.#file = new Int32Array(count).fill(-1);
    this.#numbers = new Float64Array(count * width);
    this.#digest = new Array<string | undefined>(count);
  }

  /** Rows: one a task of the stage. */
  get count(): number {
    return this.#count;
  }

  /** Makes room for the tasks of a stage that has got more. */
  grow(count: number): void {
    this.#count = count;
    if (count <= this.#file.length) return;
    const capacity = Math.max(count, this.#file.length * 2);
    const file = new Int32Array(capacity).fill(-1);
    file.set(this.#file);
    const numbers = new Float64Array(capacity * width);
    numbers.set(this.#numbers);
    this.#file = file;
    this.#numbers = numbers;
  }

  has(task: number): boolean {
    return (this.#file[task] ?? -1) >= 0;
  }

  set(task: number, output: TaskOutput): void {
    if (this.has(task)) this.#account(task, -1);
    else this.size++;
    const ref = output.ref;
    this.#file[task] = this.#fileId(ref.host, ref.file);
    this.#digest[task] = ref.digest;
    const row = task * width;
    this.#numbers[row + atAt] = ref.at;
    this.#numbers[row + lengthAt] = ref.length;
    this.#numbers[row + recordsInAt] = output.recordsIn;
    this.#numbers[row + recordsOutAt] = output.recordsOut;
    this.#numbers[row + bytesInAt] = output.bytesIn;
    this.#setLabels(row, output.labels);
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
      at: this.#number(task, atAt),
      length: this.#number(task, lengthAt),
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
      this.#number(task, atAt) === ref.at &&
      this.#digest[task] === ref.digest
    );
  }

  /** Something was written. */
  hasLabels(task: number): boolean {
    return this.#number(task, labelCountAt) > 0;
  }

  labels(task: number): LabelSize[] {
    const sizes: LabelSize[] = [];
    this.eachLabel(task, (label, bytes, records) => sizes.push({ label, bytes, records }));
    return sizes;
  }

  eachLabel(task: number, visit: (label: number, bytes: number, records: number) => void): void {
    let at = this.#number(task, labelStartAt);
    for (let left = this.#number(task, labelCountAt); left > 0; left--, at += labelWidth) {
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
    return { recordsIn: this.#number(task, recordsInAt), recordsOut: this.#number(task, recordsOutAt) };
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
    const column = (of: number): number[] => tasks.map((task) => this.#number(task, of));
    return {
      tasks,
      files,
      file: tasks.map((task) => numbers.get(this.#file[task] as number) as number),
      at: column(atAt),
      length: column(lengthAt),
      digest: tasks.map((task) => this.#digest[task] as string),
      recordsIn: column(recordsInAt),
      recordsOut: column(recordsOutAt),
      bytesIn: column(bytesInAt),
      labelCount: column(labelCountAt),
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
    this.#labels = new Float64Array(label.length * labelWidth);
    label.forEach((name, n) => {
      this.#labels[n * labelWidth] = name;
      this.#labels[n * labelWidth + 1] = labelBytes[n] as number;
      this.#labels[n * labelWidth + 2] = labelRecords[n] as number;
    });
    columns.tasks.forEach((task, n) => {
      this.#file[task] = ids[columns.file[n] as number] as number;
      this.#digest[task] = columns.digest[n] as string;
      const row = task * width;
      this.#numbers[row + atAt] = columns.at[n] as number;
      this.#numbers[row + lengthAt] = columns.length[n] as number;
      this.#numbers[row + recordsInAt] = columns.recordsIn[n] as number;
      this.#numbers[row + recordsOutAt] = columns.recordsOut[n] as number;
      this.#numbers[row + bytesInAt] = columns.bytesIn[n] as number;
      this.#numbers[row + labelStartAt] = this.#labelsUsed;
      this.#numbers[row + labelCountAt] = columns.labelCount[n] as number;
      this.#labelsUsed += (columns.labelCount[n] as number) * labelWidth;
      this.#account(task, 1);
    });
    this.size = columns.tasks.length;
    for (const [task, address] of columns.index) this.#index.set(task, address);
    for (const [task, refs] of columns.oob) this.#oob.set(task, refs);
  }

  /** Files of two nodes may have the same name: then the later ones are found by both. */
  #fileId(host: string, file: string): number {
    const first = this.#fileIds.get(file);
    if (first === undefined) return this.#addFile(file, host, file);
    if (this.#hosts[first] === host) return first;
    const key = `${host}\n${file}`;
    return this.#fileIds.get(key) ?? this.#addFile(key, host, file);
  }

  #addFile(key: string, host: string, file: string): number {
    const id = this.#files.length;
    this.#hosts.push(host);
    this.#files.push(file);
    this.#fileIds.set(key, id);
    return id;
  }

  #number(task: number, of: number): number {
    return this.#numbers[task * width + of] as number;
  }

  #setLabels(row: number, labels: readonly LabelSize[]): void {
    const end = this.#labelsUsed + labels.length * labelWidth;
    if (end > this.#labels.length) {
      const first = Math.min(labels.length * this.count, firstLabelsMax) * labelWidth;
      const grown = new Float64Array(Math.max(end, this.#labels.length * 2, first));
      grown.set(this.#labels);
      this.#labels = grown;
    }
    this.#numbers[row + labelStartAt] = this.#labelsUsed;
    this.#numbers[row + labelCountAt] = labels.length;
    for (const { label, bytes, records } of labels) {
      this.#labels[this.#labelsUsed++] = label;
      this.#labels[this.#labelsUsed++] = bytes;
      this.#labels[this.#labelsUsed++] = records;
    }
  }

  #account(task: number, sign: 1 | -1): void {
    this.recordsIn += sign * this.#number(task, recordsInAt);
    this.recordsOut += sign * this.#number(task, recordsOutAt);
    this.bytesIn += sign * this.#number(task, bytesInAt);
  }
}
