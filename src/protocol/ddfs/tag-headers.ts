/** Headers of requests for tags (`master/http/ddfs/shown-token.ts`). */

/** The token of the tag, percent-encoded. */
export const tagTokenHeader = "disco-tag-token";
/** It is a worker's that a job brought along: whatever the sender may do, the request may do what the tag's token allows. */
export const forWorkerHeader = "disco-for-worker";
