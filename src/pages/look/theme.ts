/** Dark or light: what the system prefers, until the user says otherwise; the choice stays on this machine. */

import type { Theme } from './scheme.js';

export type { Theme };

const KEY = 'bluemarble-theme';

export function theme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === 'dark' || chosen === 'light') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** Makes a button switch the theme. @param changed is called after every change, also of the system's */
export function themeButton(button: HTMLButtonElement, changed: () => void): void {
  const root = document.documentElement;
  const stored = read();
  if (stored !== null) root.dataset.theme = stored;
  const show = () => {
    button.setAttribute('aria-label', `Switch to ${theme() === 'dark' ? 'light' : 'dark'} colours`);
    changed();
  };
  button.addEventListener('click', () => {
    root.dataset.theme = theme() === 'dark' ? 'light' : 'dark';
    write(root.dataset.theme);
    show();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
  show();
}

/** Whether things should rather not move. */
export function prefersStill(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** A colour of the style sheet, such as `--land`. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden
  }
}

function write(value: string): void {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // then it is forgotten with the page
  }
}
