import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { statement } from '../src/database/database.ts';
import type { Problem } from '../src/http/api-types.ts';
import { put, textFields, type Field, type OpenApi } from './api-fields.ts';
import { assertProblem, secondAccount, send, type Answer } from './api-peer.ts';
import { openStory, type Story } from './harness.ts';
import { forAll, OWN_BODIES, OWN_STRINGS } from './hostile-input.ts';

/**
 * Every text field of every route, read from /openapi.json, with the strings and bodies of public
 * corpora and our own: never a 5xx, never half a change, and what is refused names its field.
 * A share of the corpora here, all of them by `npm run prove -- corpora`.
 */
const CORPORA = new URL('../../shared/corpora/', import.meta.url);
const STRINGS = new URL('naughty-strings.json', CORPORA);
const BODIES = new URL('json-parsing/', CORPORA);
const absent = existsSync(STRINGS)
  ? null
  : 'The public corpora are no part of this repository and are not beside it; our own are tried.';
/** Of the corpus, how many strings each field gets and how many bodies each route. */
const EACH = Number(process.env['ASKFIRST_CORPUS_STRINGS'] ?? 8);

let story: Story;
let fields: Field[];
let api: OpenApi;
let key: string;

before(async () => {
  story = await openStory({ seed: 6 });
  api = JSON.parse((await send(story, 'GET', '/openapi.json')).text) as OpenApi;
  // An account of its own: what is done to it stands in nobody's way.
  key = (await secondAccount(story)).key;
  fields = textFields(api, SAMPLES).filter(({ path }) => path.startsWith('/v1/'));
});
after(() => story.close());

const SAMPLES = {
  to: '+447700900123',
  number: '+447700900123',
  uri: 'sip:desk@127.0.0.1',
  url: 'http://127.0.0.1:9/',
  graphBaseUrl: 'http://127.0.0.1:9',
  displayNumber: '+442079460011',
  language: 'en_US',
  action: 'hold',
};

const corpusStrings = absent === null ? (read(STRINGS) as string[]) : [];

function read(file: URL): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Another part of the corpus for each field, so that all of it is tried somewhere. */
function share<T>(all: readonly T[], turn: number): T[] {
  if (all.length === 0) return [];
  const count = Math.min(EACH, all.length);
  return Array.from({ length: count }, (_, nth) => all[(turn * EACH + nth) % all.length] as T);
}

function addressOf({ path, place, steps }: Field, text: string): string {
  const fill = place === 'path' ? encode(text) : 'x';
  const filled = path.replaceAll(/\{\w+\}/g, fill);
  return place === 'query' ? `${filled}?${String(steps[0])}=${encode(text)}` : filled;
}

/** Half a pair of surrogates cannot stand in an address. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed().slice(0, 4_000)) || '%20';
}

function trial(field: Field, text: string | undefined): Promise<Answer> {
  const { method, steps, place, body } = field;
  const sent = place === 'body' ? put(body, steps, text) : body;
  return send(story, method, addressOf(field, text ?? 'x'), {
    key,
    ...(sent === null ? {} : { body: sent }),
  });
}

/** What a request may change, but for what is kept of every request. */
const STATE = statement<{ state: string }>(
  'corpora_state',
  `select md5(string_agg(content, '|' order by content)) as state from (
     select 'accounts' || accounts::text as content from accounts
     union all select 'lines' || lines::text from lines
     union all select 'endpoints' || endpoints::text from endpoints
     union all select 'templates' || templates::text from templates
     union all select 'hooks' || webhook_endpoints::text from webhook_endpoints
     union all select 'calls' || calls::text from calls
     union all select 'messages' || messages::text from messages
     union all select 'consents' || consents::text from consents
     union all select 'imports' || imports::text from imports
     union all select 'listed' || do_not_call::text from do_not_call) as everything`,
);

const stateNow = async (): Promise<string> => (await story.database.first(STATE))?.state ?? '';

test('text fields are found in bodies, paths and query strings', (t) => {
  if (absent !== null) t.diagnostic(absent);
  const count = (place: Field['place']): number =>
    fields.filter((field) => field.place === place).length;
  t.diagnostic(
    `${count('body')} in bodies, ${count('path')} in paths, ${count('query')} in queries`,
  );
  assert.ok(count('body') > 60 && count('path') > 30 && count('query') > 20);
});

test('no string breaks a route, changes half, or is refused without its name', async (t) => {
  let [tried, taken, told] = [0, 0, 0];
  for (const [turn, field] of fields.entries()) {
    const what = `${field.method} ${field.path} ${field.place} ${field.steps.join('.')}`;
    const lacking = await lackingIn(field);
    const before = await stateNow();
    let accepted = 0;
    await forAll([...OWN_STRINGS, ...share(corpusStrings, turn)], async (text) => {
      const answer = await trial(field, text);
      tried += 1;
      if (answer.status < 400) {
        accepted += 1;
        return;
      }
      const problem = assertProblem(answer);
      if (answer.status !== 400) return;
      const named = namesIn(problem);
      if (named.includes(field.name)) {
        told += 1;
        return;
      }
      const isLacking = named.length > 0 && named.every((name) => lacking.has(name));
      assert.ok(isLacking, `${what}: ${answer.text.slice(0, 300)}`);
    });
    taken += accepted;
    if (accepted === 0) assert.equal(await stateNow(), before, `${what} was refused, and changed`);
  }
  t.diagnostic(
    `${tried} requests to ${fields.length} fields, ${taken} taken, ${told} refused by name`,
  );
  assert.ok(taken > fields.length && told > fields.length);
});

/**
 * What the sample body has no good value for, which is not the fault of a string in this field:
 * the names that are refused where the field is left out, or holds something harmless.
 */
async function lackingIn(field: Field): Promise<Set<string>> {
  // A sample need not be good for every field of its name; a letter mostly is.
  const answers = [await trial(field, goodFor(field)), await trial(field, 'x')];
  if (field.place === 'body') answers.push(await trial(field, undefined));
  const refused = answers.filter(({ status }) => status === 400);
  const names = refused.flatMap(({ text }) => namesIn(JSON.parse(text) as Problem));
  return new Set(names.filter((name) => name !== field.name));
}

function goodFor({ place, body, steps, name }: Field): string {
  if (place !== 'body') return (SAMPLES as Record<string, string>)[name] ?? 'x';
  const found = steps.reduce<unknown>(
    (holder, step) => (holder as Record<string, unknown> | undefined)?.[step],
    body,
  );
  return typeof found === 'string' ? found : 'x';
}

/** The outermost names of the fields at fault. */
function namesIn({ fields = [] }: Problem): string[] {
  return fields.map(({ field }) => field.split(/[.[]/)[0] ?? field);
}

test('no body that is no good JSON breaks a route or changes anything', async (t) => {
  const files = existsSync(BODIES)
    ? readdirSync(BODIES).filter((name) => name.endsWith('.json'))
    : [];
  const bodies = files.map((name) => readFileSync(new URL(encodeURIComponent(name), BODIES)));
  const routes = Object.entries(api.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { requestBody }]) => requestBody?.content['application/json'] !== undefined)
      .map(([verb]) => ({ method: verb.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, 'x') })),
  );
  let tried = 0;
  for (const [turn, { method, path }] of routes.entries()) {
    const before = await stateNow();
    let accepted = 0;
    const own = OWN_BODIES.map(([, body]) => body);
    await forAll([...own, ...share(bodies, turn)], async (body) => {
      const answer = await send(story, method, path, { key, body });
      tried += 1;
      if (answer.status < 400) accepted += 1;
      else assertProblem(answer);
    });
    if (accepted === 0) assert.equal(await stateNow(), before, `${method} ${path} changed`);
  }
  t.diagnostic(`${tried} bodies to ${routes.length} routes`);
  assert.ok(routes.length >= 30, `${routes.length} routes`);
});
