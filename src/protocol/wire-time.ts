/** `2026/11/22 11:27:24`, local time, as Disco writes it. */
export function wireTime(time: number | string): string {
  const date = new Date(time);
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}/${two(date.getMonth() + 1)}/${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
