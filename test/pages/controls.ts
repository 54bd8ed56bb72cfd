/**
 * Every control of a page, found in its document while it lives: a test says which it has used, and those that nobody
 * has used are its faults. So a new control without a test is refused.
 */
import type { Page } from 'playwright-core';

/**
 * Runs before the page's own script and notes a key for every control that is ever in the document. What comes in lists
 * (tiles, neighbours, decisions) is one control by the list that it stands in; anything else without an id or a name
 * goes by its words, numbers left out.
 */
export const WATCH_CONTROLS = `(() => {
  const CONTROLS = 'a[href], button, input, select, textarea, summary, canvas[tabindex], kbd, [role=button], [contenteditable]';
  const LISTS = '.busiest, .neighbours, .timeline, .tokens, tbody, thead, #crossings-pane';
  const found = window.controlsFound = new Set();
  const key = (e) => {
    if (e.id) return '#' + e.id;
    if (e.tagName === 'KBD') return 'key ' + e.textContent;
    for (const name of ['data-deed', 'data-place']) if (e.hasAttribute(name)) return e.getAttribute(name);
    const item = e.querySelector('[data-item]');
    if (item) return 'item ' + item.dataset.item;
    if (e.name) return e.name + '=' + e.value;
    const list = e.closest(LISTS);
    if (list) return (list.closest('[id]')?.id ?? '') + ' ' + (list.className || list.tagName.toLowerCase());
    const words = (e.getAttribute('aria-label') ?? e.textContent).trim().replace(/\\d[\\d/.,]*/g, '#');
    return (e.parentElement?.closest('[id]')?.id ?? e.parentElement?.className ?? '') + ': ' + words;
  };
  const look = () => {
    if (document.readyState === 'loading') return; // half of an element has no words yet
    for (const e of document.querySelectorAll(CONTROLS)) found.add(key(e));
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true });
  document.addEventListener('DOMContentLoaded', look);
})()`;

export class Controls {
  private readonly used = new Set<string>();
  private readonly found = new Set<string>();

  /** @param act uses the control and waits for what it is there for */
  async use(key: string, act: () => Promise<unknown>): Promise<void> {
    await act();
    this.used.add(key);
  }

  /** Takes what a page has shown so far; before it is closed or left. */
  async collect(page: Page): Promise<void> {
    for (const key of (await page.evaluate('[...controlsFound]')) as string[]) this.found.add(key);
  }

  get count(): number {
    return this.found.size;
  }

  /** Controls that nobody has used. */
  get unused(): string[] {
    return [...this.found].filter((key) => !this.used.has(key)).sort();
  }

  /** What was said to be used and is not there. */
  get missing(): string[] {
    return [...this.used].filter((key) => !this.found.has(key)).sort();
  }
}

/** Keys of the controls in sight that are smaller than a finger, with their sizes. */
export function tooSmall(page: Page, px = 44): Promise<string[]> {
  return page.evaluate(`[...document.querySelectorAll('a[href], button, input, select, label:has(input)')].filter((e) => {
    if (!e.checkVisibility() || e.closest('.skip, .hidden, td, p, .decision')) return false;
    if (e.matches('input[type=checkbox], input[type=radio]')) return e.closest('label') === null;
    const { width, height } = e.getBoundingClientRect();
    return width < ${px} - 0.5 || height < ${px} - 0.5;
  }).map((e) => (e.id || e.textContent.trim() || e.className) + ' ' + Math.round(e.getBoundingClientRect().width) + 'x' + Math.round(e.getBoundingClientRect().height))`);
}
