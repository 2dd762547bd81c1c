/** What is written beside each blob: its SHA-256 and its size, `HEX SIZE LF`. Readers of files need this alone. */

export interface Sum {
  /** SHA-256 in hex. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** The file beside that of the object. */
export function sumName(object: string): string {
  return `.${object}.sum`;
}

export function formatSum({ digest, size }: Sum): string {
  return `${digest} ${size}\n`;
}

/** `null`: it says nothing that could be believed. */
export function parseSum(text: string): Sum | null {
  const [, digest, size] = /^([0-9a-f]{64}) (0|[1-9]\d{0,15})\n$/.exec(text) ?? [];
  return digest === undefined || size === undefined ? null : { digest, size: Number(size) };
}
