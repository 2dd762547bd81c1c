/** `disco events NAME`. */
import { formatEvent } from "../print/event-line.ts";
import { resolveName, type StoreOptions, withDisco } from "./open-disco.ts";

export async function printEvents(name: string, options: StoreOptions): Promise<void> {
  await withDisco(options, async (disco) => {
    for await (const [, event] of disco.events(await resolveName(disco, name))) {
      process.stdout.write(`${options.json === true ? JSON.stringify(event) : formatEvent(event)}\n`);
    }
  });
}
