/** Where the value of a setting comes from: what stands further down here is overruled by what stands above it. */
export type Origin =
  | { readonly kind: "flag"; readonly flag: string }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "file"; readonly file: string; readonly key: string; readonly line: number | null }
  | { readonly kind: "default" };

/** `--port`, `DISCO_PORT in the environment`, `/srv/disco.toml line 3`, `the default`. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
      return origin.flag;
    case "environment":
      return `${origin.variable} in the environment`;
    case "file":
      return origin.line === null ? origin.file : `${origin.file} line ${origin.line}`;
    case "default":
      return "the default";
  }
}
