/**
 * What lies where below the prefix of a store in S3. (`src/s3/blob-digest.ts` has what readers need of it.)
 *
 * ```
 *   PREFIX/cluster             id of the cluster whose blobs these are
 *   PREFIX/probe               whether the store leaves alone what is there
 *   PREFIX/blob/HH/OBJECT      the bytes
 *   PREFIX/sum/HH/OBJECT       digest and size of those that were sent in parts
 *   PREFIX/damaged/HH/OBJECT   set aside: its bytes are not what came
 * ```
 */

import { isObject } from "../../core/ddfs/names.ts";
import type { Bare, S3Place } from "../../s3/address.ts";
import { hashOf } from "../volumes/layout.ts";

export class Layout {
  readonly #place: S3Place;

  constructor(place: S3Place) {
    this.#place = place;
  }

  get bucket(): string {
    return this.#place.bucket;
  }

  cluster(): Bare {
    return this.#at("cluster");
  }

  probe(): Bare {
    return this.#at("probe");
  }

  blob(object: string): Bare {
    return this.#at(`blob/${hashOf(object)}/${object}`);
  }

  sum(object: string): Bare {
    return this.#at(`sum/${hashOf(object)}/${object}`);
  }

  damaged(object: string): Bare {
    return this.#at(`damaged/${hashOf(object)}/${object}`);
  }

  /** Of all keys of blobs; with a hash, of those whose HH it is. */
  blobs(hash?: string): string {
    return `${this.#place.prefix}blob/${hash === undefined ? "" : `${hash}/`}`;
  }

  sums(): string {
    return `${this.#place.prefix}sum/`;
  }

  /** The object of a key below `blobs()` or `sums()`; `null`: it is none that we put there. */
  objectOf(key: string): string | null {
    const { prefix } = this.#place;
    const [, hash, object = ""] = /^(?:blob|sum)\/([0-9a-f]{2})\/(.+)$/.exec(key.slice(prefix.length)) ?? [];
    return key.startsWith(prefix) && isObject(object) && hashOf(object) === hash ? object : null;
  }

  #at(rest: string): Bare {
    return { bucket: this.#place.bucket, key: this.#place.prefix + rest };
  }
}
