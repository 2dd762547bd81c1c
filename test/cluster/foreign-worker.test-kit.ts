/** The beginning of workers of jobs' own: scripts of Node that speak the protocol. `$TEST_FOLDER` is where they and a test tell each other. */
export const workerPrelude = `#!${process.execPath}
const fs = require("fs");
const folder = process.env.TEST_FOLDER;
function send(name, body) {
  const json = JSON.stringify(body);
  fs.writeSync(2, name + " " + Buffer.byteLength(json) + " " + json + "\\n");
}
function take(end) {
  const byte = Buffer.alloc(1);
  let text = "";
  while (fs.readSync(0, byte) === 1 && byte[0] !== end) text += byte.toString("latin1");
  return text;
}
function ask(name, body) {
  send(name, body);
  const kind = take(32);
  take(32);
  return [kind, JSON.parse(take(10))];
}
function pause(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
function stop(name, body) {
  send(name, body);
  for (;;) pause(1000);
}
async function get(url) {
  const answer = await fetch(url.replace(/^(disco|dir):/, "http:"));
  if (!answer.ok) throw new Error(url + ": " + answer.status);
  return await answer.text();
}
async function read([id, , , replicas]) {
  try {
    let all = "";
    for (const line of (await get(replicas[0][1])).trim().split("\\n")) all += await get(line.split(" ")[1]);
    return all;
  } catch (error) {
    const [kind] = ask("INPUT_ERR", [id, [0]]);
    stop("ERROR", kind + " after " + error.message);
  }
}
function output(name, text) {
  fs.writeFileSync(name, text);
  ask("OUTPUT", [0, name, Buffer.byteLength(text)]);
}
`;
