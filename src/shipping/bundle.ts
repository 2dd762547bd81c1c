/**
 * Slices and what they import as one module that stands alone. Needed where a worker could not import what the submitting
 * process imported: because the node has none of its files (`portable`), or because a TypeScript runner resolved and compiled
 * them (extensionless imports, path aliases, enums), which plain Node does not. Takes about 0.2 s, so only then.
 */
import { createHash } from "node:crypto";
import { isBuiltin } from "node:module";
import { dirname, resolve } from "node:path";
import type { Plugin } from "rolldown";
import { JobError } from "../errors.ts";
import type { ShippedModule, ShippedPart } from "../protocol/job-data.ts";
import type { SlicedModule } from "./ship.ts";
import { requireDefinition } from "./slice.ts";
import { isOurs, isPackage } from "./specifiers.ts";

export interface Bundle {
  readonly module: ShippedModule;
  /** Name in the bundle of an export of a slice. */
  exportName(slice: number, name: string): string;
}

const entryId = "\0disco-entry";
const sliceQuery = "?disco-slice=";

export async function bundleSlices(slices: readonly SlicedModule[], isPortable: boolean): Promise<Bundle> {
  const { rolldown } = await import("rolldown");
  const exportName = (slice: number, name: string): string => `s${slice}${name}`;
  const entryPath = process.argv[1];
  const build = await rolldown({
    input: entryId,
    platform: "node",
    plugins: [slicePlugin(slices, exportName, entryPath), nativeAddonPlugin()],
    external: (id, importer) =>
      isBuiltin(id) || isOurs(id) || (!isPortable && importer !== undefined && isPackage(id, baseOf(importer))),
    resolve: { conditionNames: ["node", "import", "module-sync", ...process.execArgv.flatMap(conditionOf)] },
    onLog: () => undefined,
  }).catch(failed);
  try {
    const { output } = await build
      .generate({
        format: "esm",
        sourcemap: "hidden",
        // Absolute: the map is read elsewhere.
        sourcemapPathTransform: (source, map) => (source.startsWith("\0") ? source : resolve(dirname(map), source)),
        codeSplitting: false,
        keepNames: true,
        minify: false,
      })
      .catch(failed);
    const [chunk] = output;
    const hash = createHash("sha256").update(chunk.code).digest("hex").slice(0, 14);
    const first = slices[0] as SlicedModule;
    const module: ShippedModule = {
      url: `${first.source.url}?disco=${hash}`,
      format: "module",
      source: chunk.code,
      insertions: [],
      parts: slices.map(partOf),
      ...(chunk.map === null ? {} : { sourceMap: chunk.map.toString() }),
    };
    return { module, exportName };
  } finally {
    await build.close();
  }
}

function partOf({ source, slice }: SlicedModule, index: number): ShippedPart {
  const { url, sourceMap } = source;
  const name = `${source.path}${sliceQuery}${index}`;
  return { name, url, insertions: slice.insertions, ...(sourceMap === undefined ? {} : { sourceMap }) };
}

function slicePlugin(
  slices: readonly SlicedModule[],
  exportName: Bundle["exportName"],
  entryPath: string | undefined,
): Plugin {
  const ids = slices.map(({ source }, index) => `${source.path}${sliceQuery}${index}`);
  return {
    name: "disco-slices",
    async resolveId(specifier, importer, options) {
      if (specifier === entryId || ids.includes(specifier)) return specifier;
      if (importer === undefined) return null;
      const resolved = await this.resolve(specifier, baseOf(importer), { ...options, skipSelf: true });
      if (resolved !== null && !resolved.external && resolved.id === entryPath) {
        throw new Error(
          `${baseOf(importer)} imports ${entryPath}, the script that started the job, which must not run again on a worker; move what both use into a third module`,
        );
      }
      return resolved;
    },
    load(id) {
      if (id === entryId) {
        const lines = slices.map(({ slice }, index) => {
          const all = slice.emitters === null ? slice.exports : [...slice.exports, slice.emitters.export];
          const names = all.map((name) => `${name} as ${exportName(index, name)}`);
          return `export{${names.join(",")}}from${JSON.stringify(ids[index])};`;
        });
        return { code: lines.join("\n"), moduleType: "js" };
      }
      const slice = slices[ids.indexOf(id)];
      return slice === undefined ? null : { code: withoutRequire(slice.text), moduleType: "js" };
    },
  };
}

/** The bundler follows `require("./x")` itself, unless it is a function of the module's own. */
function withoutRequire(text: string): string {
  return text.replace(requireDefinition, (definition) => " ".repeat(definition.length));
}

function nativeAddonPlugin(): Plugin {
  return {
    name: "disco-native-addons",
    load(id) {
      if (!id.endsWith(".node")) return null;
      throw new Error(
        `${id} is a native add-on, which cannot travel to another machine; install its package on the nodes`,
      );
    },
  };
}

function baseOf(importer: string): string {
  const at = importer.indexOf("?");
  return at < 0 ? importer : importer.slice(0, at);
}

function conditionOf(argument: string): string[] {
  const match = /^(?:--conditions|-C)=(.+)$/.exec(argument);
  return match === null ? [] : [match[1] as string];
}

function failed(cause: unknown): never {
  const text = cause instanceof Error ? cause.message : String(cause);
  throw new JobError(`the job's functions and what they import could not be bundled for other machines: ${text}`, {
    code: "bundle-failed",
    hint: "Import only what can be found from the module, or install it on the nodes.",
    cause,
  });
}
