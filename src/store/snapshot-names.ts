/** Names of snapshots. They go into paths and are typed on command lines, so little is allowed in them. */

/** Folder in a data directory. */
export const SNAPSHOTS = 'snapshots';
/** End of the name of a folder that is not whole yet. */
export const DRAFT = '.draft';
/** Begins the name of a snapshot that nobody named: of those the oldest go. */
export const AUTOMATIC = 'auto-';

/** What some systems and shells take for something else. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

export const SNAPSHOT_NAME_RULE =
  'a snapshot is named by up to 64 letters, digits, dots, dashes and underscores; it begins with a letter, a digit or an' +
  ` underscore, not with ${AUTOMATIC}, and does not end with a dot or ${DRAFT}`;

/** Whether somebody may give this name to a new snapshot. */
export function isSnapshotName(name: string): boolean {
  return isSnapshotPath(name) && /^\w/.test(name) && !name.startsWith(AUTOMATIC) && !RESERVED.test(name);
}

/** Whether it may be the name of one that is there: it leads nowhere else. */
export function isSnapshotPath(name: string): boolean {
  return /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/.test(name) && !name.endsWith(DRAFT) && !name.endsWith('.');
}
