/** One look for every table the commands print: columns, one rule under the head, no boxes. */
import Table from 'cli-table3';

const none = '';

export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  rightFrom = 1,
): string {
  const made = new Table({
    head: [...head],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: head.map((_, i) => (i < rightFrom ? 'left' : 'right')),
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: none,
    },
  });
  made.push(...rows.map((row) => row.map(String)));
  return made.toString();
}
