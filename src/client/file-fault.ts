/** Why a file of the caller's cannot be read, in words; its path is named by whoever says it. */
const faults: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of its path is a file",
  EISDIR: "it is a folder",
  EACCES: "permission is denied",
};

export function fileFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return faults[code ?? ""] ?? message;
}
