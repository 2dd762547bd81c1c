/** `ddfs attrs`, `getattr`, `setattr`, `delattr`, `chtok`. */
import { DiscoError } from "../../errors.ts";
import { field } from "../print/record-text.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { type StoreOptions, withDdfs } from "./open-ddfs.ts";
import { linesOfInput } from "./standard-input.ts";
import { tagNameOf } from "./tag-names.ts";

export async function printAttributes(word: string, options: StoreOptions): Promise<void> {
  const name = tagNameOf(word);
  const { "user-data": attributes } = await withDdfs(options, ({ api, read }) => api.tag(name, read));
  if (options.json === true) return printJson(attributes);
  printLines(Object.entries(attributes).map(([attribute, value]) => `${attribute}\t${field(value)}`));
}

/** Text as it is, all else as JSON. */
export async function printAttribute(word: string, attribute: string, options: StoreOptions): Promise<void> {
  const name = tagNameOf(word);
  const value = await withDdfs(options, ({ api, read, write }) =>
    api.getAttr(name, attribute, attribute === "ddfs:write-token" ? write : read),
  );
  if (options.json === true) printJson(value ?? null);
  else process.stdout.write(`${typeof value === "string" ? value : JSON.stringify(value ?? null)}\n`);
}

export interface SetAttributeOptions extends StoreOptions {
  /** The value is JSON, not text. */
  readonly parse?: boolean;
}

export async function setAttribute(
  word: string,
  attribute: string,
  text: string,
  options: SetAttributeOptions,
): Promise<void> {
  const name = tagNameOf(word);
  const value = options.parse === true ? parsed(text) : text;
  await withDdfs(options, ({ api, write }) => api.setAttr(name, attribute, value, write));
  if (options.json === true) printJson({ tag: name, attribute, value });
}

export async function deleteAttribute(word: string, attribute: string, options: StoreOptions): Promise<void> {
  const name = tagNameOf(word);
  await withDdfs(options, ({ api, write }) => api.delAttr(name, attribute, write));
  if (options.json === true) printJson({ tag: name, attribute });
}

export interface TokenOptions extends StoreOptions {
  readonly read?: boolean;
  readonly write?: boolean;
  /** No token is asked for any more. */
  readonly remove?: boolean;
}

/** The token for reading, for writing, or both. One that is read from standard input is in no list of processes. */
export async function changeTokens(word: string, text: string | undefined, options: TokenOptions): Promise<void> {
  const name = tagNameOf(word);
  if ((text !== undefined) === (options.remove === true)) {
    throw new DiscoError("a token, or --remove, was expected", {
      code: "bad-argument",
      hint: "Write ddfs chtok TAG - to read the token from standard input.",
    });
  }
  const token = text === "-" ? (await linesOfInput("token"))[0] : text;
  const both = options.read !== true && options.write !== true;
  const attributes = [
    ...(both || options.read === true ? ["ddfs:read-token"] : []),
    ...(both || options.write === true ? ["ddfs:write-token"] : []),
  ];
  await withDdfs(options, async ({ api, write }) => {
    // The token for writing comes last: until then the old one holds for both changes.
    for (const attribute of attributes) {
      if (options.remove === true) await api.delAttr(name, attribute, write);
      else await api.setAttr(name, attribute, token, write);
    }
  });
  if (options.json === true) printJson({ tag: name, changed: attributes });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new DiscoError(`${text.slice(0, 100)} is not JSON: ${(error as Error).message}`, {
      code: "bad-argument",
      cause: error,
      hint: "Leave out --parse to store it as text.",
    });
  }
}
