import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { docPages, pageOnDisk } from './doc-pages.ts';

/** `node bin/docs.ts`: writes the generated pages. test/docs.test.ts fails while one is stale. */
const root = dirname(import.meta.dirname);

for (const { path, text } of docPages()) {
  const isStale = pageOnDisk(path) !== text;
  if (isStale) writeFileSync(join(root, path), text);
  console.log(`${isStale ? 'written' : 'fresh  '}  ${path}`);
}
