/** `disco oob list NAME` and `disco oob get NAME KEY`: what tasks have put beside their output. */
import { nearestName } from "../../client/nearest-name.ts";
import { DiscoError } from "../../errors.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { checkOutput, writeWhole } from "../run/output-place.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

export async function listOob(word: string, options: StoreOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    const keys = await disco.oobList(await resolveName(disco, word));
    if (options.json === true) printJson(keys);
    else printLines(keys);
  });
}

/** The bytes as they are; with `--json` as base64, which any bytes survive. */
export async function getOob(
  word: string,
  key: string,
  options: StoreOptions & { readonly output?: string },
): Promise<void> {
  const { output = "-", json } = options;
  await checkOutput(output);
  await withDisco(options, async (disco) => {
    const name = await resolveName(disco, word);
    const bytes = await disco.oobGet(name, key).catch(async (error: unknown) => {
      if (!(error instanceof DiscoError) || error.code !== "unknown-key") throw error;
      const meant = nearestName(key, await disco.oobList(name));
      const hint = meant === undefined ? `disco oob list ${name} prints its keys.` : `Did you mean ${meant}?`;
      throw new DiscoError(error.message, { code: error.code, job: name, hint, cause: error });
    });
    const data = json === true ? `${JSON.stringify({ key, base64: Buffer.from(bytes).toString("base64") })}\n` : bytes;
    if (output === "-") process.stdout.write(data);
    else await writeWhole(output, data);
  });
}
