/**
 * The build: every TypeScript file of src/, test/ and bench/ becomes one ES module at the same place under
 * dist/, with a source map; data files beside them are copied; each page of src/pages is bundled for browsers. Files whose content did not change are
 * not touched, files whose source is gone are removed, a file that does not parse is reported and the others are
 * still written; exit code 1 if any failed. Types are not looked at here (`npm run check` does).
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, formatMessages, transform } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = ['src', 'test', 'bench', 'schemas'];
const COPIED = /\.(json|csv|py|fbs|bfbs|bin|html|css|svg)$/;
const OUT = 'dist';
/** Screenshots of the tests: output, but not of this build. */
const KEPT = join(OUT, 'screenshots');

/** All files below a folder, as paths relative to the root; a folder that is missing has none. */
async function filesBelow(folder) {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(
    (error) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    },
  );
  return entries.filter((e) => e.isFile()).map((e) => relative(root, join(e.parentPath ?? e.path, e.name)));
}

/** Writes only what differs, and by rename, so that a process that loads dist/ meanwhile never sees half a file. */
async function writeIfChanged(path, bytes) {
  const target = join(root, path);
  const old = await readFile(target).catch(() => undefined);
  if (old?.equals(bytes)) return;
  await mkdir(dirname(target), { recursive: true });
  const draft = `${target}.${process.pid}.draft`;
  await writeFile(draft, bytes);
  await rename(draft, target);
}

/** Transpiles one source to dist/<path>.js and its map, or reports why not. Returns the outputs it stands for. */
async function compile(path) {
  const js = join(OUT, path.replace(/\.(m?)ts$/, '.$1js'));
  const outputs = [js, `${js}.map`];
  const source = await readFile(join(root, path), 'utf8');
  try {
    const result = await transform(source, {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
      sourcemap: 'external', // written beside the file: stack traces name the source with --enable-source-maps
      sourcesContent: false, // the sources are there
      sourcefile: relative(dirname(js), path),
    });
    const base = js.slice(js.lastIndexOf('/') + 1);
    await writeIfChanged(`${js}.map`, Buffer.from(result.map));
    await writeIfChanged(js, Buffer.from(`${result.code}//# sourceMappingURL=${base}.map\n`));
  } catch (error) {
    const lines = error.errors
      ? await formatMessages(error.errors, { kind: 'error' })
      : [`${path}: ${error.stack}`];
    process.stderr.write(lines.join('\n'));
    process.exitCode = 1;
  }
  return outputs;
}

async function copy(path) {
  const output = join(OUT, path);
  await writeIfChanged(output, await readFile(join(root, path)));
  return [output];
}

/** Bundles the pages, everything they need inside, into dist/src/pages/assets; and the coastlines beside them. */
async function bundlePages() {
  const assets = join(OUT, 'src/pages/assets');
  const land = join(assets, 'land.json');
  await writeIfChanged(land, await readFile(join(root, 'node_modules/world-atlas/land-50m.json')));
  try {
    const result = await build({
      entryPoints: { map: join(root, 'src/pages/map/main.ts'), play: join(root, 'src/pages/play/main.ts') },
      bundle: true,
      platform: 'browser', // an import of node: is an error here
      format: 'esm',
      target: 'es2022',
      minify: true,
      legalComments: 'inline', // licences of what is bundled stay in it
      write: false,
      outdir: join(root, assets),
      logLevel: 'silent',
    });
    for (const { path, contents } of result.outputFiles)
      await writeIfChanged(relative(root, path), Buffer.from(contents));
    return [land, ...result.outputFiles.map(({ path }) => relative(root, path))];
  } catch (error) {
    const lines = error.errors
      ? await formatMessages(error.errors, { kind: 'error' })
      : [`pages: ${error.stack}`];
    process.stderr.write(lines.join('\n'));
    process.exitCode = 1;
    return [land];
  }
}

/** Removes what no source stands for any more, so that a deleted test cannot go on passing. */
async function prune(wanted) {
  for (const path of await filesBelow(OUT)) {
    // A draft may be of another build, just now; a bench's peers are installed beside its copied package file.
    if (wanted.has(path) || path.endsWith('.draft') || path.includes('/node_modules/')) continue;
    if (path.startsWith(KEPT)) continue;
    await rm(join(root, path), { force: true });
  }
}

const sources = (await Promise.all(SOURCES.map(filesBelow))).flat();
const work = sources.map((path) => {
  if (/\.d\.m?ts$/.test(path)) return [];
  if (/\.m?ts$/.test(path)) return compile(path);
  return COPIED.test(path) ? copy(path) : [];
});
await prune(new Set((await Promise.all([...work, bundlePages()])).flat()));
