/**
 * Addresses in JSON, on their way through: those of a list of DDFS (`["url", ["url", …], …]`), or of the list that is `urls` of a tag.
 * A tag may have half a gigabyte of them, so that nothing is parsed as a whole: bytes are passed on, and strings where addresses are
 * replaced. Whatever is no JSON passes through as it is, and who gets it complains.
 *
 *   depth   brackets that are open; `list`: the depth of the list of addresses, 0 outside of one
 */

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace, colon, comma] = Buffer.from('"\\[]{}:,');
/** Longer than any address, and than the names of members. */
const stringBytesMax = 256 * 1024;
const listName = '"urls"';

export class UrlRewriter {
  readonly #address: (url: string) => string;
  #depth = 0;
  #list = 0;
  /** Of the member whose value comes, in the outermost object. */
  #name = "";
  /** Parts of the string that is open; `null`: none is, or it is too long to be an address. */
  #string: Buffer[] | null = null;
  #stringBytes = 0;
  #inString = false;
  #escaped = false;
  #last = "";

  constructor(address: (url: string) => string) {
    this.#address = address;
  }

  push(chunk: Buffer): Buffer {
    const out: Buffer[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === backslash) this.#escaped = true;
        else if (byte === quote) {
          this.#keep(chunk.subarray(from, at + 1), out);
          this.#endString(out);
          from = at + 1;
        }
      } else if (byte === quote) {
        out.push(chunk.subarray(from, at));
        from = at;
        this.#inString = true;
        this.#string = [];
        this.#stringBytes = 0;
      } else this.#structure(byte);
    }
    if (this.#inString) this.#keep(chunk.subarray(from), out);
    else out.push(chunk.subarray(from));
    return Buffer.concat(out);
  }

  /** What is left of JSON that ends in a string. */
  end(): Buffer {
    return Buffer.concat(this.#string ?? []);
  }

  #structure(byte: number | undefined): void {
    if (byte === openBracket || byte === openBrace) {
      const isList = byte === openBracket && (this.#depth === 0 || (this.#depth === 1 && this.#name === listName));
      this.#depth += 1;
      if (isList && this.#list === 0) this.#list = this.#depth;
    } else if (byte === closeBracket || byte === closeBrace) {
      if (this.#depth === this.#list) this.#list = 0;
      this.#depth = Math.max(0, this.#depth - 1);
    } else if (this.#depth === 1 && byte === colon) this.#name = this.#last;
    else if (this.#depth === 1 && byte === comma) this.#name = "";
  }

  #keep(part: Buffer, out: Buffer[]): void {
    this.#stringBytes += part.length;
    if (this.#string !== null && this.#stringBytes <= stringBytesMax) {
      // The chunk's memory may be used again.
      this.#string.push(Buffer.from(part));
      return;
    }
    out.push(...(this.#string ?? []), part);
    this.#string = null;
  }

  #endString(out: Buffer[]): void {
    this.#inString = false;
    const parts = this.#string;
    this.#string = null;
    if (parts === null) return;
    const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    if (this.#list > 0) out.push(this.#rewritten(whole));
    else {
      if (this.#depth === 1) this.#last = whole.toString();
      out.push(whole);
    }
  }

  #rewritten(literal: Buffer): Buffer {
    try {
      const url: unknown = JSON.parse(literal.toString());
      const other = typeof url === "string" ? this.#address(url) : url;
      return other === url ? literal : Buffer.from(JSON.stringify(other));
    } catch {
      return literal;
    }
  }
}

/** All of a body that is in memory. */
export function rewriteUrls(json: Buffer, address: (url: string) => string): Buffer {
  const rewriter = new UrlRewriter(address);
  return Buffer.concat([rewriter.push(json), rewriter.end()]);
}
