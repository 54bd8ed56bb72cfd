/** The outside of the house: what may stand at the top, and that nothing names the machine it was written on. */
import type { Finding } from './source.js';

const TOP = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'src',
  'schemas',
  'bench',
  'test',
  'README.md',
  'LICENSE',
];
const RELEASE = ['CHANGELOG.md', 'SECURITY.md'];

/** @param entries names at the root; @param ignored patterns of .gitignore, of which plain names and *.end count */
export function checkTop(entries: readonly string[], ignored: readonly string[]): Finding[] {
  const isIgnored = (name: string) =>
    ignored.some(
      (pattern) =>
        pattern.replace(/\/$/, '') === name || (pattern.startsWith('*.') && name.endsWith(pattern.slice(1))),
    );
  return entries
    .filter(
      (name) => !name.startsWith('.') && !TOP.includes(name) && !RELEASE.includes(name) && !isIgnored(name),
    )
    .map((name) => `${name}: the top level is ${TOP.join(', ')} and dotfiles: move it into one of them`);
}

// Put together from pieces, so that this file does not hold what it forbids.
const FOLDERS = ['home', 'root', 'Users', 'work', 'farm', 'tmp'].join('|');
const HOSTS = [
  ['registry', 'npmjs'],
  ['registry', 'yarnpkg'],
  ['npmjs', 'org'],
  ['deb', 'debian', 'org'],
  ['npm', 'pkg', 'github'],
];
const MACHINE_PATH = new RegExp(`(^|[^A-Za-z0-9_.*)/])/(${FOLDERS})/[A-Za-z0-9_.-]`);
const HOST = new RegExp(HOSTS.map((parts) => parts.join('\\.')).join('|'));

/** Absolute paths of a machine and hosts of package registries, in any text file. */
export function checkMachine(path: string, text: string): Finding[] {
  const findings: Finding[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (MACHINE_PATH.test(line))
      findings.push(`${path}:${i + 1}: a path of one machine: make it relative, or use os.tmpdir()`);
    if (HOST.test(line))
      findings.push(`${path}:${i + 1}: a registry host: leave the choice of a registry to the reader`);
  }
  return findings;
}

interface Locked {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Record<string, string>;
}

/** The lock file must install from whatever registry is configured, and every direct dependency is exact. */
export function checkPackages(manifest: string, lock: string): Finding[] {
  const findings: Finding[] = [];
  const { dependencies = {}, devDependencies = {} } = JSON.parse(manifest) as Record<
    string,
    Record<string, string>
  >;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    if (!/^(npm:[\w@/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
      findings.push(`${name}@${version}: pin the exact version`);
  }
  const { packages } = JSON.parse(lock) as { packages: Record<string, Locked> };
  const names = new Set(
    Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)),
  );
  for (const [path, entry] of Object.entries(packages)) {
    if (path !== '' && entry.integrity === undefined)
      findings.push(`${path}: the lock file has no integrity for it`);
    if (entry.resolved !== undefined)
      findings.push(`${path}: the lock file names a host: npm install with this .npmrc`);
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (!names.has(name))
        findings.push(`${name}: npm ci refuses a lock file without it: pin a version that has it`);
    }
  }
  return findings;
}
