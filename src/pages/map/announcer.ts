/**
 * What is read aloud: answers to the user at once, news of the planet gathered to one sentence in a while, an alarm when
 * it is a new one. A live region that spoke with every event would be switched off.
 */
const NEWS_MS = 8000;
const ALARM_MS = 60_000;

export class Announcer {
  private readonly counts = new Map<string, number>();
  private readonly alarms = new Map<string, number>();
  private first = '';
  private toldMs = Number.NEGATIVE_INFINITY;

  /** @param told where words are read from politely @param alerted where they interrupt @param now ms */
  constructor(
    private readonly told: { textContent: string | null },
    private readonly alerted: { textContent: string | null },
    private readonly now: () => number,
  ) {}

  /** The answer to something that the user did. */
  say(text: string): void {
    this.told.textContent = text;
  }

  /** @param kind such as "split" @param place such as "tile 11/5/6" */
  news(kind: string, place: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.first ||= `${kind} of ${place}`;
    this.beat();
  }

  /** To be called now and then: tells what has gathered. */
  beat(): void {
    const total = [...this.counts.values()].reduce((sum, n) => sum + n, 0);
    if (total === 0 || this.now() - this.toldMs < NEWS_MS) return;
    this.toldMs = this.now();
    this.told.textContent =
      total === 1 ? this.first : [...this.counts].map(([kind, n]) => `${n} × ${kind}`).join(', ');
    this.counts.clear();
    this.first = '';
  }

  /** The alarms of now. Told when one is new: figures in it may change, and it may come and go. */
  alarm(texts: readonly string[]): void {
    const now = this.now();
    for (const text of texts) {
      const kind = text.replace(/\d+/g, '#');
      const lastMs = this.alarms.get(kind) ?? Number.NEGATIVE_INFINITY;
      this.alarms.set(kind, now);
      if (now - lastMs > ALARM_MS) this.alerted.textContent = `Alarm: ${text}`;
    }
  }
}
