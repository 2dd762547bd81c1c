/** `disco token new [FILE]`. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { DiscoError } from "../../errors.ts";
import { newToken } from "../../settings/token.ts";
import { exitCodes } from "../exit-codes.ts";
import { type OutputOptions, print } from "./output.ts";

const tokenMode = 0o600;

export function makeToken(file: string | undefined, options: OutputOptions): number {
  const token = newToken();
  if (file === undefined) {
    // The token alone on standard output: `disco token new | pass insert -e disco` and the like.
    print(options, { token }, [token]);
    process.stderr.write(
      "Keep it where only those can read it who may use it: in DISCO_TOKEN of the daemon's and the clients' environment,\n" +
        "or in a file (`disco token new FILE` makes one) that --token-file, DISCO_TOKEN_FILE or token_file in disco.toml names.\n",
    );
  } else {
    const path = resolve(file);
    store(path, token);
    print(options, { file: path }, [
      `A new token is in ${path}, which only you can read.`,
      `  disco start --token-file ${path}    or  token_file = ${JSON.stringify(path)}  in disco.toml`,
    ]);
  }
  return exitCodes.ok;
}

/** A token that is in use is not overwritten. */
function store(path: string, token: string): void {
  try {
    writeFileSync(path, `${token}\n`, { mode: tokenMode, flag: "wx" });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new DiscoError(code === "EEXIST" ? `${path} exists already` : `${path} cannot be written: ${message}`, {
      code: "bad-argument",
      cause,
      hint: code === "EEXIST" ? "Choose another file, or delete that one first." : "Choose another file.",
    });
  }
}
