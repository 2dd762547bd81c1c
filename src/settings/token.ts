/**
 * Tokens: secrets that name a caller's scope. They stand in the environment or in files that nobody else can read, never in
 * flags (every user sees those in a list of processes) and never in `disco.toml` (which is meant to be shared).
 */
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DiscoError } from "../errors.ts";
import type { ValueType } from "./value-type.ts";

const tokenLengthMin = 16;
const tokenLengthMax = 512;
const newTokenBytes = 32;

export const token: ValueType<string | null> = {
  expects: `a token of ${tokenLengthMin} to ${tokenLengthMax} visible ASCII characters without spaces`,
  read: (raw) => {
    if (typeof raw !== "string" || raw.length < tokenLengthMin || raw.length > tokenLengthMax) return null;
    return /^[\x21-\x7e]+$/.test(raw) ? { value: raw } : null;
  },
  show: (value) => (value === null ? "none" : "set"),
};

/** 256 random bits that can be pasted anywhere. */
export function newToken(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(newTokenBytes))).toString("base64url");
}

/** Who else may read a file; `null`: nobody, as far as its mode tells. */
export function otherReaders(file: string): string | null {
  if (process.platform === "win32") return null;
  const { mode } = statSync(file);
  if ((mode & 0o004) !== 0) return "everybody";
  // systemd hands a credential to one user by an access list, which shows as a right of the group.
  const credentials = process.env["CREDENTIALS_DIRECTORY"];
  if (credentials !== undefined && credentials !== "" && dirname(file) === credentials) return null;
  return (mode & 0o040) === 0 ? null : "its group";
}

/**
 * The token in a file, without the white space around it.
 * @param origin who named the file, for messages
 * @throws DiscoError `bad-setting`
 */
export function readTokenFile(file: string, origin: string): string {
  let contents: string;
  try {
    const readers = otherReaders(file);
    if (readers !== null) {
      throw refused(`the token file ${file} (${origin}) can be read by ${readers}`, `chmod 600 ${file}`);
    }
    contents = readFileSync(file, "utf8").trim();
  } catch (cause) {
    if (cause instanceof DiscoError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refused(`the token file ${file} (${origin}) cannot be read: ${why}`, howToStore(file), cause);
  }
  const read = token.read(contents, "");
  if (read === null || read.value === null) {
    throw refused(`the token file ${file} (${origin}): expected ${token.expects}`, howToStore(file));
  }
  return read.value;
}

function howToStore(file: string): string {
  return `\`disco token new ${file}\` makes a token and stores it there.`;
}

function refused(message: string, hint: string, cause?: unknown): DiscoError {
  return new DiscoError(message, { code: "bad-setting", hint, cause });
}
