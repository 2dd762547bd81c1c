/**
 * P9: reads results in one way, looking at each record. Arguments: `for-await`, `for-of` or `to-array`, the addresses. The file
 * cache is warm: a first look at every file is not counted.
 */
import { resultIterator } from "disco-mapreduce";

const [way, ...results] = process.argv.slice(2);
let records = 0;
let sum = 0;
let units = 0;

function look([key, value]: [string, number]): void {
  records += 1;
  sum += value;
  units += key.length;
}

const cpuBefore = process.cpuUsage();
const started = performance.now();
const iterator = resultIterator<string, number>([...results]);
switch (way) {
  case "for-await":
    for await (const record of iterator) look(record);
    break;
  case "for-of":
    for (const record of iterator) look(record);
    break;
  case "to-array":
    for (const record of await iterator.toArray()) look(record);
    break;
  default:
    throw new RangeError(`no way of reading is called ${way}`);
}
const seconds = (performance.now() - started) / 1000;
const cpu = process.cpuUsage(cpuBefore);
const cpuSeconds = (cpu.user + cpu.system) / 1e6;
console.log(JSON.stringify({ seconds, cpuSeconds, records, sum, units }));
