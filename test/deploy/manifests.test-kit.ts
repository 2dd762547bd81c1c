/**
 * Reads the manifests of deploy/kubernetes and checks them against the schemas of Kubernetes, as strictly as `kubectl apply` with
 * `--validate=strict` does: the compiled schemas let unknown fields pass, so each is given a record of which fields it looked at. One
 * that no schema has asked for is not known to Kubernetes.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

export interface Manifest {
  readonly file: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

interface Yaml {
  parseAllDocuments(text: string): readonly { readonly errors: readonly Error[]; toJS(): unknown }[];
}

interface Model {
  validate(): void;
}

const require = createRequire(import.meta.url);
export const folder = join(import.meta.dirname, "..", "..", "deploy", "kubernetes");

/** All documents of the file. */
export function readYaml(file: string): unknown[] {
  const { parseAllDocuments } = require("yaml") as Yaml;
  return parseAllDocuments(readFileSync(join(folder, file), "utf8")).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS();
  });
}

/** What is wrong with it in the eyes of Kubernetes; empty: nothing. */
export async function violationsOf({ file, ...manifest }: Manifest): Promise<string[]> {
  const { apiVersion, kind } = manifest;
  const models = (await import(`kubernetes-models/${apiVersion}/${kind}`)) as Record<string, { prototype: Model }>;
  const model = models[kind]?.prototype;
  assert.ok(model !== undefined, `no schema of ${apiVersion} ${kind}`);
  const seen = new Map<object, Set<string>>();
  const name = `${file}: ${kind} ${manifest.metadata.name}`;
  try {
    // A model of its own would be a copy: copying looks at every field.
    model.validate.call(watched(manifest, seen));
  } catch (error) {
    return [`${name}: ${(error as Error).message}`];
  }
  return unasked(manifest, seen, name);
}

/** The value, taking notes of the fields that are asked for. */
function watched(value: unknown, seen: Map<object, Set<string>>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const asked = seen.get(value) ?? new Set<string>();
  seen.set(value, asked);
  return new Proxy(value, {
    get(target, field, receiver) {
      const item: unknown = Reflect.get(target, field, receiver);
      if (typeof field === "string") asked.add(field);
      return watched(item, seen);
    },
  });
}

function unasked(value: unknown, seen: Map<object, Set<string>>, at: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, item]) =>
    seen.get(value)?.has(field) === true
      ? unasked(item, seen, `${at}.${field}`)
      : [`${at}.${field}: Kubernetes knows no such field`],
  );
}
