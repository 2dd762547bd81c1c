/** `ddfs df`: the volumes of all nodes, or of those that hold the blobs of some tags. */
import type { NodeSpace } from "../../client/ddfs/ddfs-api.ts";
import { parseBlobAddress } from "../../core/ddfs/names.ts";
import type { VolumeInfo } from "../../protocol/ddfs/messages.ts";
import { type Cell, type Column, formatColumns, widthOf } from "../print/columns.ts";
import { printJson, printLines } from "../print/write-out.ts";
import { lookOf } from "../progress/look.ts";
import { formatBytes } from "../progress/quantity.ts";
import { blobsOf, type ReachOptions } from "./blobs.ts";
import { withDdfs } from "./open-ddfs.ts";
import { chosenTags } from "./tag-names.ts";

const columns: readonly Column[] = [
  { title: "NODE", shrinks: true },
  { title: "VOLUME" },
  { title: "SIZE", align: "right" },
  { title: "USED", align: "right" },
  { title: "FREE", align: "right" },
  { title: "USE%", align: "right" },
  { title: "STATE" },
];

export async function printSpace(words: readonly string[], options: ReachOptions): Promise<void> {
  const spaces = await withDdfs(options, async (ddfs) => {
    const all = await ddfs.api.space();
    if (words.length === 0) return all;
    const { names } = await chosenTags(ddfs.api, words, options);
    const held = new Set<string>();
    for await (const set of blobsOf(ddfs, names, options)) {
      for (const url of set) {
        const { host, volume } = parseBlobAddress(url) ?? { host: "", volume: "" };
        held.add(`${host} ${volume}`);
      }
    }
    return all.flatMap((space) => {
      const volumes = space.volumes.filter(({ volume }) => held.has(`${space.host} ${volume}`));
      return volumes.length === 0 ? [] : [{ ...space, volumes }];
    });
  });
  if (options.json === true) return printJson(spaces);
  const rows = spaces.flatMap(rowsOf);
  if (rows.length === 0) process.stderr.write("no volumes\n");
  else printLines(formatColumns(columns, rows, widthOf(process.stdout), lookOf(process.stdout)));
}

function rowsOf(space: NodeSpace): Cell[][] {
  if (space.volumes.length === 0) return [[space.host, "", "", "", "", "", stateOf(space)]];
  return space.volumes.map((volume) => {
    const size = volume.usedBytes + volume.freeBytes;
    return [
      space.host,
      volume.volume,
      formatBytes(size),
      formatBytes(volume.usedBytes),
      formatBytes(volume.freeBytes),
      size === 0 ? "-" : `${Math.round((100 * volume.usedBytes) / size)}%`,
      stateOf(space, volume),
    ];
  });
}

function stateOf({ connected, leaving }: NodeSpace, volume?: VolumeInfo): Cell {
  if (!connected) return { text: "lost", style: "red" };
  const trouble = volume?.trouble ?? null;
  if (trouble !== null) return { text: trouble, style: "red" };
  return leaving ? { text: "leaving", style: "yellow" } : { text: "ok", style: "green" };
}
