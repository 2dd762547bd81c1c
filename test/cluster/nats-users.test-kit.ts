/**
 * Users of NATS as operators make them with `nsc`: an operator, an account and a user, each with a key (nkey), and JWTs that each signs
 * for the next. Made here without `nsc`.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const prefixes = { operator: 14 << 3, account: 0, user: 20 << 3 };
const seedPrefix = 18 << 3;
const rawKeyBytes = 32;

type Kind = keyof typeof prefixes;

class NKey {
  readonly kind: Kind;
  readonly #private: KeyObject;
  readonly #public: Buffer;

  constructor(kind: Kind) {
    this.kind = kind;
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    this.#private = privateKey;
    this.#public = publicKey.export({ format: "der", type: "spki" }).subarray(-rawKeyBytes);
  }

  get name(): string {
    return encoded(Buffer.concat([Buffer.of(prefixes[this.kind]), this.#public]));
  }

  /** Its secret. */
  get seed(): string {
    const prefix = prefixes[this.kind];
    const head = Buffer.of(seedPrefix | (prefix >> 5), (prefix & 31) << 3);
    const raw = this.#private.export({ format: "der", type: "pkcs8" }).subarray(-rawKeyBytes);
    return encoded(Buffer.concat([head, raw]));
  }

  /** A JWT for another key, signed by this one. */
  issue(subject: NKey, name: string, nats: object): string {
    const claims = { iss: this.name, sub: subject.name, name, iat: Math.floor(Date.now() / 1_000), nats };
    const jti = createHash("sha256").update(JSON.stringify(claims)).update(randomUUID()).digest("base64url");
    const parts = [
      { typ: "JWT", alg: "ed25519-nkey" },
      { ...claims, jti },
    ];
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    return `${text}.${sign(null, Buffer.from(text), this.#private).toString("base64url")}`;
  }
}

export interface NatsUsers {
  /** Lines for the configuration of a server. */
  readonly configuration: string;
  /** What a `.creds` file holds. */
  readonly creds: string;
  /** What is secret of it. */
  readonly seed: string;
}

/** One user with JetStream. `known: false`: of an account that the server of `configuration` has no part in. */
export function makeNatsUsers(): NatsUsers {
  const [operator, system, account, user] = (["operator", "account", "account", "user"] as const).map(
    (kind) => new NKey(kind),
  ) as [NKey, NKey, NKey, NKey];
  const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
  const jetStream = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const accountOf = (key: NKey, name: string, limits: object): string =>
    operator.issue(key, name, { type: "account", version: 2, limits });
  const operatorJwt = operator.issue(operator, "tests", { type: "operator", version: 2, system_account: system.name });
  const userJwt = account.issue(user, "disco", {
    type: "user",
    version: 2,
    subs: -1,
    data: -1,
    payload: -1,
    pub: {},
    sub: {},
  });
  return {
    configuration: [
      `operator: ${operatorJwt}`,
      `system_account: ${system.name}`,
      "resolver: MEMORY",
      "resolver_preload: {",
      `  ${system.name}: ${accountOf(system, "SYS", unlimited)}`,
      `  ${account.name}: ${accountOf(account, "DISCO", { ...unlimited, ...jetStream })}`,
      "}",
    ].join("\n"),
    creds: block("NATS USER JWT", userJwt) + block("USER NKEY SEED", user.seed),
    seed: user.seed,
  };
}

function block(what: string, text: string): string {
  return `-----BEGIN ${what}-----\n${text}\n------END ${what}------\n\n`;
}

/** Base 32, with a check sum of two bytes behind. */
function encoded(bytes: Buffer): string {
  const sum = crc16(bytes);
  let [bits, count, text] = [0, 0, ""];
  for (const byte of [...bytes, sum & 255, sum >> 8]) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) text += alphabet[(bits >> (count - 5)) & 31];
    bits &= 31;
  }
  return count === 0 ? text : text + alphabet[(bits << (5 - count)) & 31];
}

/** CCITT. */
function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}
