/** An index of outputs, `LABEL SP ADDRESS SP SIZE LF` a line, with other addresses. What has another form stays as it is. */
export function rewriteIndex(text: string, address: (url: string) => string): string {
  return text.replaceAll(/^(\d+) (\S+) (\d+)$/gm, (_line, label: string, url: string, size: string) => {
    return `${label} ${address(url)} ${size}`;
  });
}
