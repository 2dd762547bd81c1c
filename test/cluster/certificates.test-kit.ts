/** An authority of a test's own, made by openssl, that signs certificates for 127.0.0.1: valid ones and such that are over. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const keyArgs = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Why there are none here; `null`: there are. */
export function whyNoCertificates(): string | null {
  return spawnSync("openssl", ["version"]).error === undefined ? null : "`openssl` is not there to make certificates";
}

/** PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export class Authority implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "disco-authority-"));
  readonly #own: Certificate;

  /** `name`: as it calls itself in its certificate. */
  constructor(name = "tests") {
    const [cert, key] = [join(this.#folder, "ca.pem"), join(this.#folder, "ca.key")];
    openssl("req", "-x509", ...keyArgs, "-days", "2", "-subj", `/CN=${name}`, "-keyout", key, "-out", cert);
    this.#own = { cert, key };
  }

  /** File of its certificate, for those who trust it. */
  get ca(): string {
    return this.#own.cert;
  }

  /** `days`: how long it is valid from now; negative: it is over. `host`: whom it is for, beside 127.0.0.1. */
  sign(name: string, { days = 1, addresses = ["127.0.0.1"] }: SignOptions = {}): Certificate {
    const file = (kind: string): string => join(this.#folder, `${name}.${kind}`);
    const [key, request, extensions, cert] = [file("key"), file("csr"), file("ext"), file("pem")];
    openssl("req", "-new", ...keyArgs, "-subj", `/CN=${name}`, "-keyout", key, "-out", request);
    const names = [...addresses.map((address) => `IP:${address}`), "DNS:localhost"].join(",");
    writeFileSync(extensions, `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    const signer = ["-CA", this.#own.cert, "-CAkey", this.#own.key, "-CAcreateserial"];
    openssl("x509", "-req", "-in", request, ...signer, "-days", String(days), "-extfile", extensions, "-out", cert);
    return { cert, key };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export interface SignOptions {
  readonly days?: number;
  readonly addresses?: readonly string[];
}

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}
