import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { docPages, pageOnDisk } from '../bin/doc-pages.ts';
import { CHECK_IDS } from '../src/golive/golive.ts';
import { CALL_EVENT_NAMES } from '../src/calls/call.ts';
import { END_REASONS } from '../src/calls/end-codes.ts';
import { errorCatalogue } from '../src/error-catalogue.ts';
import { registerDocsRoutes } from '../src/http/docs-routes.ts';
import { openHttpServer } from '../src/http/server.ts';
import { ManualClock } from '../src/platform/clock.ts';
import { makeIds } from '../src/platform/ids.ts';
import { silentLog } from '../src/platform/log.ts';
import { seededRandom } from '../src/platform/random.ts';
import { META_ERRORS } from '../src/whatsapp/errors.ts';
import { EVENT_TYPES } from '../src/webhooks/webhooks.ts';
import { isTest } from './house-rules.ts';
import { repositoryFiles, root } from './repository.ts';

const WORD = /'([a-z]+(?:_[a-z0-9]+)+)'/g;
const sources = repositoryFiles().filter((path) => path.startsWith('src/') && !isTest(path));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documented = new Set(
  errorCatalogue().flatMap(({ entries }) => entries.map(({ code }) => code)),
);

for (const { path, text } of docPages()) {
  test(`${path} is as fresh as the tables it is made from`, () => {
    assert.ok(pageOnDisk(path) === text, `${path} is stale: run "node bin/docs.ts"`);
  });
}

test('every heading of a code in errors.md is the anchor that docs_url points to', () => {
  const page = pageOnDisk('docs/reference/errors.md');
  const headings = [...page.matchAll(/^### (.+)$/gm)].map((match) => match[1] ?? '');
  assert.deepEqual(new Set(headings), documented);
  assert.equal(headings.length, documented.size, 'each code once');
  for (const heading of headings) assert.match(heading, /^[a-z0-9_]+$/);
});

test('every code that a file of the program names as `code:` is documented', () => {
  const missing = sources.flatMap((path) =>
    [...read(path).matchAll(/\bcode(?: =|:) '([a-z]+(?:_[a-z0-9]+)+)'/g)]
      .map((match) => match[1] ?? '')
      .filter((code) => !documented.has(code))
      .map((code) => `${path}  ${code}`),
  );
  assert.deepEqual(missing, []);
});

test('codes that are put together or chosen on the way are documented too', () => {
  const chosen = [
    ...read('src/platform/data-folder.ts').matchAll(/code: full \? '(\w+)' : '(\w+)'/g),
  ].flatMap(([, first = '', second = '']) => [first, second]);
  const sdp = ['sdp', 'meta-answer', 'endpoint-sdp'].flatMap((name) =>
    [...read(`src/media/${name}.ts`).matchAll(/refuseSdp\(\s*'(\w+)'/g)].map(
      ([, code = '']) => code,
    ),
  );
  const urls = [...read('src/webhooks/egress.ts').matchAll(/return refusal\('(\w+)'/g)].map(
    ([, what = '']) => `webhook_url_${what === 'address' ? 'forbidden_address' : what}`,
  );
  const codes = [...chosen, ...sdp, ...urls, 'database_start_failed'];
  assert.ok(codes.length > 20, `only ${codes.length} found`);
  assert.deepEqual(
    codes.filter((code) => !documented.has(code)),
    [],
  );
});

test('no two rows of the catalogue of Meta share a number or a code', () => {
  const numbers = META_ERRORS.flatMap(({ metaCodes }) => metaCodes);
  assert.equal(new Set(numbers).size, numbers.length);
  assert.equal(new Set(META_ERRORS.map(({ code }) => code)).size, META_ERRORS.length);
});

/** Words with underscores in the files that end calls, and no end reasons. */
const OTHER_WORDS = new Set([
  // Strategies and an outcome.
  'agent_first',
  'on_ringing',
  'no_answer',
  // Problems of the routes.
  'not_found',
  'invalid_request',
  // Codes of the gate, which have their rows among the refusals.
  'meta_answer_unknown',
  'line_busy',
]);

test('every reason for which the code of calls ends a call is in the list of end reasons', () => {
  const files = ['call-rules', 'call-session', 'endpoint-leg', 'gateway', 'dialer', 'call-routes'];
  const said = files.flatMap((name) =>
    [...read(`src/calls/${name}.ts`).matchAll(WORD)].map(([, word = '']) => word),
  );
  const causes = /MediaLostCause =([^;]+);/.exec(read('src/media/media.ts'))?.[1] ?? '';
  const lost = [...causes.matchAll(WORD)].map(([, word = '']) => word);
  assert.ok(said.length > 20 && lost.length > 2);
  const unknown = [...said, ...lost].filter(
    (word) => END_REASONS[word] === undefined && !OTHER_WORDS.has(word),
  );
  assert.deepEqual(unknown, []);
});

test('the list of end reasons holds nothing that the code never says', () => {
  const text = sources
    .filter((path) => path !== 'src/calls/end-codes.ts')
    .filter((path) => /^src\/(accounts|calls|media|consent|do-not-call|scripts)\//.test(path))
    .map(read)
    .join('\n');
  const unsaid = Object.keys(END_REASONS).filter((reason) => !text.includes(`'${reason}'`));
  assert.deepEqual(unsaid, []);
});

test('the public names of events that the code announces are the documented ones', () => {
  const known = new Set<string>([...EVENT_TYPES, 'webhook.test']);
  const said = sources.flatMap((path) =>
    [...read(path).matchAll(/'((?:permission|call|optout|dnc|webhook)\.[a-z]+)'/g)].map(
      ([, name = '']) => name,
    ),
  );
  for (const name of [...said, ...Object.values(CALL_EVENT_NAMES)])
    assert.ok(known.has(name), name);
});

test('the how-to of going live names every check, and no check that does not exist', () => {
  const page = pageOnDisk('docs/how-to/go-live.md');
  const named = new Set([...page.matchAll(/`([a-z_]+)`/g)].map(([, word = '']) => word));
  assert.deepEqual(
    CHECK_IDS.filter((id) => !named.has(id)),
    [],
  );
});

async function openDocs() {
  const clock = new ManualClock();
  const app = await openHttpServer({
    log: silentLog,
    clock,
    ids: makeIds(clock, seededRandom(1)),
  });
  registerDocsRoutes(app, errorCatalogue());
  return app;
}

test('the errors page has an element for every code and holds to the strict CSP', async () => {
  const app = await openDocs();
  const page = await app.inject({ url: '/docs/errors' });
  assert.equal(page.statusCode, 200);
  assert.match(String(page.headers['content-type']), /^text\/html/);
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  for (const code of documented) assert.ok(page.body.includes(`id="${code}"`), code);
  assert.doesNotMatch(page.body, /<script|<style|\sstyle=|\son\w+=/);
  const style = await app.inject({ url: '/docs/errors.css' });
  assert.match(String(style.headers['content-type']), /^text\/css/);
  await app.close();
});

test('the errors page needs no key, and another page beside it does not exist', async () => {
  const app = await openDocs();
  assert.equal((await app.inject({ url: '/docs/errors' })).statusCode, 200);
  assert.equal((await app.inject({ url: '/docs/other' })).statusCode, 404);
  assert.equal((await app.inject({ method: 'POST', url: '/docs/errors' })).statusCode, 405);
  await app.close();
});
