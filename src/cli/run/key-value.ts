/** `--params key=value`: the value is JSON where it parses as such, else the text itself. */
import { DiscoError } from "../../errors.ts";

export type CommandParams = Record<string, unknown>;

export function addParam(text: string, before: CommandParams): CommandParams {
  const at = text.indexOf("=");
  if (at <= 0) {
    throw new DiscoError(`--params ${text}: key=value was expected`, {
      code: "bad-argument",
      hint: 'Write for instance --params limit=10, or --params words=\'["a","b"]\'.',
    });
  }
  return { ...before, [text.slice(0, at)]: parseValue(text.slice(at + 1)) };
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
