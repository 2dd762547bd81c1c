/** What both ends of the HTTP bus have to agree on. */

export const contentType = "application/x-disco-frames";
/** One start of a node's process. */
export const sessionHeader = "x-disco-session";
/** Subjects that the node serves when it opens the stream, with commas between them. */
export const servesHeader = "x-disco-serves";
/** Of the master that answers and leads. */
export const epochHeader = "x-disco-epoch";
/** With 421: base URL of the master that leads. */
export const leaderHeader = "x-disco-leader";
/** Bytes of one post: a message, or many small ones. */
export const postBytesMax = 2 * 1024 * 1024;
/** A master says something at least so often, so that a node knows that it is there. */
export const pingEveryMs = 1_000;
