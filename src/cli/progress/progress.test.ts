import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { JobInfo, StageInfo } from "../../client/master-api.ts";
import { renderBar } from "./bar.ts";
import { BarDisplay } from "./bar-display.ts";
import { LineDisplay } from "./line-display.ts";
import type { Look } from "./look.ts";
import { formatBytes, formatRate, formatSeconds } from "./quantity.ts";
import { Screen, type TerminalStream } from "./screen.ts";
import { StageMeter } from "./stage-meter.ts";

const plain: Look = { unicode: false, paint: (_, text) => text };
const rich: Look = { unicode: true, paint: (_, text) => text };

function stage(changes: Partial<StageInfo> = {}): StageInfo {
  const nothing = {
    waiting: 0,
    queued: 0,
    running: 0,
    done: 0,
    failed: 0,
    recordsIn: 0,
    recordsOut: 0,
    bytesIn: 0,
    bytesTotal: 0,
  };
  return { stage: "map", tasks: 10, ...nothing, ...changes };
}

function job(stages: StageInfo[], status: JobInfo["status"] = "active"): JobInfo {
  const rest = {
    owner: "",
    submittedAt: 0,
    endedAt: null,
    inputs: [],
    results: [],
    hosts: [],
    waits: [],
    reason: null,
  };
  return { name: "words@1", status, stages, ...rest, failure: null, peakRss: 0 };
}

/** A terminal that keeps what one would see: understands what `Screen` writes, and nothing else. */
class FakeTerminal implements TerminalStream {
  readonly isTTY = true;
  columns = 60;
  lines: string[] = [""];
  writes = 0;

  write = ((chunk: string | Uint8Array): boolean => {
    this.writes++;
    const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
    for (const part of text.split(/(\x1b\[\d*[AJ]|\r|\n)/)) {
      const up = /^\x1b\[(\d+)A$/.exec(part);
      if (up !== null) this.#row -= Number(up[1]);
      else if (part === "\x1b[0J") this.lines.length = this.#row + 1;
      else if (part === "\r") this.lines[this.#row] = "";
      else if (part === "\n") this.lines[++this.#row] ??= "";
      else this.lines[this.#row] += part;
    }
    return true;
  }) as TerminalStream["write"];

  #row = 0;
}

test("quantities read as people write them", () => {
  assert.deepEqual([0, 999, 1000, 12_345_678, 2e9].map(formatBytes), ["0 B", "999 B", "1.0 kB", "12.3 MB", "2.0 GB"]);
  assert.equal(formatRate(123_456_789), "123 MB/s");
  assert.deepEqual([0.0123, 1.26, 61, 3700].map(formatSeconds), ["12 ms", "1.3 s", "1m 01s", "1h 01m"]);
});

test("a stage shows its rate and, after a moment, how long it still takes", () => {
  const meter = new StageMeter();
  assert.equal(meter.read(stage(), 0).state, "waiting");
  assert.equal(meter.read(stage({ running: 2 }), 100).remainingSeconds, null);
  const reading = meter.read(stage({ running: 2, done: 2, bytesIn: 25e6, bytesTotal: 100e6 }), 1100);
  assert.equal(reading.fraction, 0.25);
  assert.equal(reading.bytesPerSecond, 25e6);
  assert.equal(reading.remainingSeconds, 3);
  const end = meter.read(stage({ done: 10, bytesIn: 100e6, bytesTotal: 100e6 }), 2100);
  assert.equal(end.state, "done");
  assert.equal(meter.read(stage({ done: 10, bytesIn: 100e6 }), 9999).elapsedSeconds, end.elapsedSeconds);
});

test("a bar fits into every width and keeps the most important part", () => {
  const meter = new StageMeter();
  meter.read(stage({ running: 1 }), 0);
  const reading = meter.read(stage({ running: 1, done: 5, bytesIn: 5e6 }), 200);
  for (const look of [plain, rich]) {
    for (let columns = 0; columns <= 120; columns++) {
      const line = renderBar(reading, 6, columns, look);
      assert.ok(line.length <= columns, `${columns}: ${line}`);
      if (columns >= 30) assert.match(line, /map.*50%/);
    }
  }
  assert.match(renderBar(reading, 3, 100, plain), /\[#+\.+\] {3}50% {2}5\/10 tasks {2}25.0 MB\/s/);
});

test("what is printed stays above the bars, unchanged and in order", () => {
  const terminal = new FakeTerminal();
  const original = terminal.write;
  const screen = new Screen(terminal, [terminal], (columns) => ["map  [####]", "reduce waiting".slice(0, columns)]);
  screen.redraw();
  terminal.write("first\n");
  terminal.write(Buffer.from("second\n"));
  screen.redraw();
  assert.deepEqual(terminal.lines, ["first", "second", "map  [####]", "reduce waiting", ""]);
  screen.close();
  assert.deepEqual(terminal.lines, ["first", "second", "map  [####]", "reduce waiting", ""]);
  assert.equal(terminal.write, original);
});

test("a line that is not complete yet is not torn apart", () => {
  const terminal = new FakeTerminal();
  const screen = new Screen(terminal, [terminal], () => ["bar"]);
  screen.redraw();
  terminal.write("dots .");
  screen.redraw();
  terminal.write(".");
  screen.redraw();
  assert.deepEqual(terminal.lines, ["dots .."]);
  terminal.write(". done\n");
  screen.redraw();
  assert.deepEqual(terminal.lines, ["dots ... done", "bar", ""]);
  screen.close();
});

test("many writes do not mean many redraws", () => {
  const terminal = new FakeTerminal();
  let drawn = 0;
  const screen = new Screen(terminal, [terminal], () => [`bar ${++drawn}`]);
  screen.redraw();
  const started = performance.now();
  for (let i = 0; i < 1000; i++) terminal.write("x\n");
  assert.ok(drawn <= 2 + (performance.now() - started) / 100, `${drawn} redraws`);
  screen.close();
});

test("without a terminal a stage has a line at its start, at its end, and every two seconds", () => {
  const lines: string[] = [];
  let now = 0;
  const display = new LineDisplay(
    (line) => lines.push(stripVTControlCharacters(line)),
    () => now,
  );
  for (let done = 0; done <= 10; done++) {
    now = done * 500;
    const waiting = stage({ stage: "reduce", tasks: done === 10 ? 1 : 0 });
    display.update(job([stage({ running: 1, done, bytesIn: done * 1e6, bytesTotal: 10e6 }), waiting]));
  }
  assert.deepEqual(lines, [
    "words@1: started",
    "words@1: map started, 10 tasks",
    "words@1: map 40%, 4/10 tasks, 2.0 MB/s, 3 s left",
    "words@1: map 80%, 8/10 tasks, 2.0 MB/s, 1 s left",
    "words@1: map done, 10 tasks, 5.0 s, 2.0 MB/s",
  ]);
});

test("a display that is closed says nothing more, although jobs go on or end", () => {
  const lines: string[] = [];
  const display = new LineDisplay(
    (line) => lines.push(line),
    () => 0,
  );
  display.update(job([stage({ running: 1 })]));
  const terminal = new FakeTerminal();
  const bars = new BarDisplay(terminal, [terminal], plain);
  bars.update(job([stage({ running: 1, done: 2 })]));
  for (const each of [display, bars]) each.close();
  const shown = [...terminal.lines];
  assert.match(shown.join("\n"), /^words@1\n {2}map .* 2\/10 tasks/);
  for (const each of [display, bars]) {
    each.update(job([stage({ running: 1, done: 5 })]));
    each.update(job([stage({ done: 10 })], "dead"));
  }
  assert.deepEqual(lines, ["words@1: started", "words@1: map started, 10 tasks"]);
  assert.deepEqual(terminal.lines, shown);
});
