/**
 * Where S3 is and who asks: from the environment, under the names that other programs read too. Secrets are in no event, log line,
 * job pack or address: whoever sends a request reads them from its own environment.
 */
import { DiscoError } from "../errors.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Account {
  /** Without a slash at its end; `null`: Amazon's, of the region. */
  readonly endpoint: string | null;
  readonly region: string;
  /** `null`: requests are not signed, which does for public buckets. */
  readonly credentials: Credentials | null;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

const defaultRegion = "us-east-1";
const regionPattern = /^[a-z0-9-]{1,64}$/;

/** @throws DiscoError `bad-s3-settings` */
export function accountOf(env: Environment): Account {
  const endpoint = given(env, "DISCO_S3_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
  const region = given(env, "AWS_REGION", "AWS_DEFAULT_REGION")?.value ?? defaultRegion;
  if (!regionPattern.test(region)) {
    throw wrong(`AWS_REGION is ${JSON.stringify(region)}`, "Write the name of a region, as eu-central-1.");
  }
  return {
    endpoint: endpoint === null ? null : baseOf(endpoint),
    region,
    credentials: credentialsOf(env),
  };
}

function credentialsOf(env: Environment): Credentials | null {
  const accessKeyId = given(env, "AWS_ACCESS_KEY_ID")?.value;
  const secretAccessKey = given(env, "AWS_SECRET_ACCESS_KEY")?.value;
  if (accessKeyId === undefined && secretAccessKey === undefined) return null;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const [there, missing] =
      accessKeyId === undefined
        ? ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"]
        : ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    throw wrong(`${there} is set, and ${missing} is not`, "Set both, or neither for public buckets.");
  }
  return { accessKeyId, secretAccessKey, sessionToken: given(env, "AWS_SESSION_TOKEN")?.value ?? null };
}

/** What is empty counts as not set. */
function given(
  env: Environment,
  ...names: readonly string[]
): { readonly name: string; readonly value: string } | null {
  for (const name of names) {
    const value = env[name]?.trim() ?? "";
    if (value !== "") return { name, value };
  }
  return null;
}

function baseOf({ name, value }: { readonly name: string; readonly value: string }): string {
  const url = URL.canParse(value) ? new URL(value) : null;
  const isBase = url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
  if (isBase && url.username === "" && url.password === "") return url.href.replace(/\/+$/, "");
  // The value may have a password in it: it is not quoted.
  throw wrong(`${name} is not the address of a server`, "Write https://HOST[:PORT], without user and password.");
}

function wrong(message: string, hint: string): DiscoError {
  return new DiscoError(message, { code: "bad-s3-settings", hint });
}
