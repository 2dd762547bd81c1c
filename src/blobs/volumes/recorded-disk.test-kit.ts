/**
 * A disk in memory that writes down what is done to it, can have each call fail, and can lose power after each of them.
 *
 * What a power cut leaves is as little as POSIX promises: a file has the bytes that were there at its last sync, and of those behind it none,
 * all, or zeros; a directory has the names that were there at its last sync, and of the changes behind it any. A file whose directory
 * has no name is gone.
 */
import { dirname } from "node:path";
import { Readable } from "node:stream";
import type { Disk, DiskFile, FileStat } from "./disk.ts";

interface Inode {
  bytes: Buffer;
}

type Step =
  | { readonly kind: "name"; readonly path: string; readonly inode: Inode | "directory" }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly inode: Inode | "directory" }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "write"; readonly inode: Inode; readonly bytes: Buffer }
  | { readonly kind: "sync"; readonly inode: Inode }
  | { readonly kind: "sync-directory"; readonly path: string };

/** Of what a power cut may leave or not: `true` leaves it. */
export type Fate = () => boolean;

export class RecordedDisk implements Disk {
  readonly steps: Step[] = [];
  /** Names of the calls, in their order. */
  readonly calls: string[] = [];
  /** Code of the error that a call is to throw; `null`: none. `n`: which call it is, from 0. */
  fail: (call: string, path: string, n: number) => string | null = () => null;
  freeBytes = 1e12;
  readonly #names = new Map<string, Inode | "directory">();

  constructor(directories: readonly string[]) {
    for (const path of directories) this.#names.set(path, "directory");
  }

  /** As the next start finds it, when the power went after so many steps. */
  afterPowerCut(steps: number, directories: readonly string[], fate: Fate): RecordedDisk {
    const names = new Map<string, Inode | "directory">(directories.map((path) => [path, "directory"]));
    const synced = new Map<Inode, Buffer>();
    const written = new Map<Inode, Buffer>();
    const pending = new Map<string, Step[]>();
    for (const step of this.steps.slice(0, steps)) {
      if (step.kind === "write") {
        written.set(step.inode, Buffer.concat([written.get(step.inode) ?? Buffer.alloc(0), step.bytes]));
      } else if (step.kind === "sync") {
        synced.set(step.inode, written.get(step.inode) ?? Buffer.alloc(0));
      } else if (step.kind === "sync-directory") {
        for (const change of pending.get(step.path) ?? []) apply(names, change);
        pending.delete(step.path);
      } else {
        const directory = dirname(step.kind === "rename" ? step.to : step.path);
        pending.set(directory, [...(pending.get(directory) ?? []), step]);
      }
    }
    for (const changes of pending.values()) for (const change of changes) if (fate()) apply(names, change);
    const image = new RecordedDisk(directories);
    for (const [path, inode] of names) {
      if (!directories.includes(path) && !hasParents(names, path)) continue;
      if (inode === "directory") image.#names.set(path, inode);
      else image.#names.set(path, { bytes: left(synced.get(inode), written.get(inode), fate) });
    }
    return image;
  }

  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** Changes what lies there behind everybody's back. */
  spoil(path: string, change: (bytes: Buffer) => Buffer): void {
    const inode = this.#file("spoil", path);
    inode.bytes = Buffer.from(change(Buffer.from(inode.bytes)));
  }

  /** As if it had always been there. */
  place(path: string, bytes: Buffer): void {
    this.#names.set(path, { bytes: Buffer.from(bytes) });
  }

  /** With all that is below. */
  vanish(directory: string): void {
    for (const path of this.paths())
      if (path === directory || path.startsWith(`${directory}/`)) this.#names.delete(path);
  }

  async create(path: string): Promise<DiskFile> {
    this.#call("create", path);
    if (this.#names.has(path)) throw errorOf("EEXIST", "create", path);
    this.#assertParent("create", path);
    const inode: Inode = { bytes: Buffer.alloc(0) };
    this.#do({ kind: "name", path, inode });
    return {
      write: async (chunks) => {
        this.#call("write", path);
        const bytes = Buffer.concat(chunks);
        if (bytes.length > this.freeBytes) throw errorOf("ENOSPC", "write", path);
        this.freeBytes -= bytes.length;
        inode.bytes = Buffer.concat([inode.bytes, bytes]);
        this.steps.push({ kind: "write", inode, bytes });
      },
      sync: async () => {
        this.#call("sync", path);
        this.steps.push({ kind: "sync", inode });
      },
      close: async () => this.#call("close", path),
    };
  }

  async stream(path: string, from: number, to: number): Promise<Readable> {
    this.#call("stream", path);
    const part = this.#file("stream", path).bytes.subarray(from, to);
    return Readable.from(part.length === 0 ? [] : [part], { objectMode: false });
  }

  async read(path: string): Promise<Buffer> {
    this.#call("read", path);
    return this.#file("read", path).bytes;
  }

  async rename(from: string, to: string): Promise<void> {
    this.#call("rename", from);
    const inode = this.#names.get(from);
    if (inode === undefined) throw errorOf("ENOENT", "rename", from);
    this.#do({ kind: "rename", from, to, inode });
  }

  async remove(path: string): Promise<void> {
    this.#call("remove", path);
    this.#do({ kind: "remove", path });
  }

  async mkdir(path: string): Promise<void> {
    this.#call("mkdir", path);
    this.#assertParent("mkdir", path);
    if (!this.#names.has(path)) this.#do({ kind: "name", path, inode: "directory" });
  }

  async list(path: string): Promise<string[]> {
    this.#call("list", path);
    if (this.#names.get(path) !== "directory") throw errorOf("ENOENT", "list", path);
    const prefix = `${path}/`;
    return [...this.#names.keys()].flatMap((one) => {
      const name = one.startsWith(prefix) ? one.slice(prefix.length) : "";
      return name === "" || name.includes("/") ? [] : [name];
    });
  }

  async stat(path: string): Promise<FileStat | null> {
    this.#call("stat", path);
    const inode = this.#names.get(path);
    if (inode === undefined) return null;
    return inode === "directory"
      ? { size: 0, modifiedAt: 0, isFile: false }
      : { size: inode.bytes.length, modifiedAt: 1, isFile: true };
  }

  async protect(path: string): Promise<void> {
    this.#call("protect", path);
    this.#file("protect", path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#call("syncDirectory", path);
    if (this.#names.get(path) !== "directory") throw errorOf("ENOENT", "syncDirectory", path);
    this.steps.push({ kind: "sync-directory", path });
  }

  async assertWritable(path: string): Promise<void> {
    this.#call("assertWritable", path);
    if (!this.#names.has(path)) throw errorOf("ENOENT", "assertWritable", path);
  }

  async room(path: string): Promise<{ freeBytes: number; usedBytes: number }> {
    this.#call("room", path);
    if (!this.#names.has(path)) throw errorOf("ENOENT", "room", path);
    return { freeBytes: this.freeBytes, usedBytes: 0 };
  }

  #do(step: Step & { readonly kind: "name" | "rename" | "remove" }): void {
    this.steps.push(step);
    apply(this.#names, step);
  }

  #file(call: string, path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined || inode === "directory") throw errorOf("ENOENT", call, path);
    return inode;
  }

  #assertParent(call: string, path: string): void {
    if (this.#names.get(dirname(path)) !== "directory") throw errorOf("ENOENT", call, path);
  }

  #call(call: string, path: string): void {
    const code = this.fail(call, path, this.calls.length);
    this.calls.push(call);
    if (code !== null) throw errorOf(code, call, path);
  }
}

function apply(names: Map<string, Inode | "directory">, step: Step): void {
  if (step.kind === "name") names.set(step.path, step.inode);
  else if (step.kind === "remove") names.delete(step.path);
  else if (step.kind === "rename") {
    // The name of before may not have come to the disk.
    names.set(step.to, step.inode);
    names.delete(step.from);
  }
}

function hasParents(names: ReadonlyMap<string, unknown>, path: string): boolean {
  const parent = dirname(path);
  return parent === path || parent === "/" || (names.has(parent) && hasParents(names, parent));
}

function left(synced: Buffer | undefined, written: Buffer | undefined, fate: Fate): Buffer {
  const safe = synced ?? Buffer.alloc(0);
  if (written === undefined || !fate()) return safe;
  return fate() ? written : Buffer.concat([safe, Buffer.alloc(written.length - safe.length)]);
}

function errorOf(code: string, call: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${call} ${path}`), { code });
}
