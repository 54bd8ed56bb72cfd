/** The two colour schemes of the pages. */
export type Theme = 'dark' | 'light';
