/** Tabs as ARIA describes them: arrow keys go from tab to tab, one tab is in the order of focus. */

export class Tabs {
  private readonly tabs: HTMLButtonElement[];

  constructor(
    list: HTMLElement,
    private readonly changed: () => void,
  ) {
    this.tabs = [...list.querySelectorAll<HTMLButtonElement>('[role=tab]')];
    for (const tab of this.tabs) tab.addEventListener('click', () => this.open(tab.id));
    list.addEventListener('keydown', (event) => this.onKey(event));
  }

  /** @param id of the tab's button */
  open(id: string, takeFocus = false): void {
    for (const tab of this.tabs) {
      const isOpen = tab.id === id;
      tab.setAttribute('aria-selected', String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
      const pane = document.getElementById(tab.getAttribute('aria-controls') ?? '');
      if (pane !== null) pane.hidden = !isOpen;
      if (isOpen && takeFocus) tab.focus();
    }
    this.changed();
  }

  private onKey(event: KeyboardEvent): void {
    const at = this.tabs.indexOf(document.activeElement as HTMLButtonElement);
    if (at < 0) return;
    const { length } = this.tabs;
    const goals: Record<string, number> = {
      ArrowRight: (at + 1) % length,
      ArrowLeft: (at + length - 1) % length,
      Home: 0,
      End: length - 1,
    };
    const goal = goals[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    this.open(this.tabs[goal].id, true);
  }
}
