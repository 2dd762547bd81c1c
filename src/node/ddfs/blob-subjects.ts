/**
 * What masters have a node do with its blobs: subjects of the node on the bus (`protocol/ddfs/messages.ts`). What answers them is loaded
 * with the first message; a node whose jobs use no blobs never loads it.
 */
import type {
  AdoptFile,
  BlobPage,
  CopyBlob,
  DeleteBlobs,
  DeletedBlobs,
  ListBlobs,
  ScrubNode,
  ScrubStatus,
  StoredBlob,
  Verdict,
  VerifyBlob,
} from "../../protocol/ddfs/messages.ts";
import type { Peers } from "../fetch/peers.ts";
import type { OwnBlobs } from "./own-blobs.ts";

export interface BlobRequestParts {
  readonly blobs: OwnBlobs;
  /** Name of the node. */
  readonly host: string;
  readonly dataDir: string;
  /** The other nodes; `null`: there are none. */
  readonly peers: Peers | null;
}

/** Serves one subject of the node; what the handler returns is the reply. Messages of masters that are out of office are refused before. */
export type ServeSubject = <T>(name: string, handler: (message: T) => unknown) => void;

export interface BlobAnswers {
  list(message: ListBlobs): Promise<BlobPage>;
  delete(message: DeleteBlobs): Promise<DeletedBlobs>;
  copy(message: CopyBlob): Promise<StoredBlob>;
  adopt(message: AdoptFile): Promise<StoredBlob>;
  verify(message: VerifyBlob): Promise<Verdict>;
  scrub(message: ScrubNode): Promise<ScrubStatus>;
  close(): Promise<void>;
}

/** Returns what ends it: copies that are on their way, and scrubbing. */
export function serveBlobSubjects(serve: ServeSubject, parts: BlobRequestParts): () => Promise<void> {
  let loaded: Promise<BlobAnswers> | undefined;
  const answers = (): Promise<BlobAnswers> =>
    (loaded ??= import("./blob-requests.ts").then(({ BlobRequests }) => new BlobRequests(parts)));
  serve("ddfs-list", async (message: ListBlobs) => (await answers()).list(message));
  serve("ddfs-delete", async (message: DeleteBlobs) => (await answers()).delete(message));
  serve("ddfs-copy", async (message: CopyBlob) => (await answers()).copy(message));
  serve("ddfs-adopt", async (message: AdoptFile) => (await answers()).adopt(message));
  serve("ddfs-verify", async (message: VerifyBlob) => (await answers()).verify(message));
  serve("ddfs-scrub", async (message: ScrubNode) => (await answers()).scrub(message));
  return async () => (await loaded)?.close();
}
