import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { build } from 'vite';

import { root } from './repository.ts';

const WEB = join(root, 'web');
const DIST = join(WEB, 'dist');

/**
 * Builds the page where it is older than its sources. Files that run at the same time may both
 * build it: it is made elsewhere and laid over what is there, so that no page in use loses a file.
 */
export async function buildPage(): Promise<void> {
  const builtAt = await changedAt(join(DIST, 'index.html'));
  if (builtAt > (await newestUnder(join(WEB, 'src')))) return;
  const outDir = await mkdtemp(join(tmpdir(), 'askfirst-built-'));
  await build({ root: WEB, logLevel: 'silent', build: { outDir, emptyOutDir: true } });
  await cp(join(outDir, 'assets'), join(DIST, 'assets'), { recursive: true });
  // Its first page last: it names the others.
  await cp(outDir, DIST, { recursive: true });
  await rm(outDir, { recursive: true });
}

async function newestUnder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Math.max(
    ...(await Promise.all(files.map((file) => changedAt(join(file.parentPath, file.name))))),
  );
}

async function changedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.mtimeMs ?? 0;
}
