/** Stretches of time in which something was done again and again, and how long it was done in all. */
export class Spans {
  private readonly all: [begin: number, end: number][] = [];

  add(begin: number, end: number): void {
    this.all.push([begin, end]);
  }

  /** @param apart ms between two of them that make them different stretches @returns ms of all stretches together */
  ms(apart: number): number {
    let [begin, end] = [0, 0];
    let ms = 0;
    for (const [from, to] of this.all.sort((a, b) => a[0] - b[0])) {
      if (begin === 0 || from - end > apart) {
        ms += end - begin;
        begin = from;
      }
      end = Math.max(end, to);
    }
    return ms + end - begin;
  }
}
