import { createHash } from 'node:crypto';
import { zonesOfNumber } from '../policy/hours/number-zones.ts';
import { localTimeText } from '../policy/hours/zone-time.ts';
import type { TimelineEntry } from '../http/api-types.ts';
import type { CallEvidence, PermissionEvidence, RequestEvidence } from './evidence-views.ts';
import type { Evidence, EvidencePart, ProofView } from './evidence.ts';

/**
 * The bundle as a page for people: one file that loads nothing, runs nothing, and prints. What the
 * customer or a caller of the API has typed is never anything but text in it.
 */
const STYLE = `
:root { color-scheme: light }
body { font: 11pt/1.45 system-ui, sans-serif; color: #111; background: #fff; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.2rem; border-bottom: 1px solid #777; margin-top: 2rem }
h3 { font-size: 1rem; margin-bottom: .3rem }
dl { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr; gap: .15rem 1rem; margin: 0 }
dt { color: #444 } dd { margin: 0; overflow-wrap: anywhere }
blockquote { margin: .3rem 0; padding: .4rem .8rem; border-inline-start: 4px solid #777;
  background: #f3f3f3; white-space: pre-wrap }
table { border-collapse: collapse; width: 100% } th, td { text-align: start; vertical-align: top;
  border: 1px solid #999; padding: .2rem .4rem; overflow-wrap: anywhere }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f3f3f3; padding: .5rem }
small { color: #444 }
article { break-inside: avoid; margin: 1rem 0 }
@media print { body { margin: 0; max-width: none } h2 { break-after: avoid } }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Nothing may be loaded, run, sent or framed; the one style is named by its hash. */
export const PAGE_POLICY = [
  `default-src 'none'`,
  `style-src 'sha256-${STYLE_HASH}'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '');
}

/** Text of somebody's own: kept from turning the words around it about. */
function own(text: unknown): string {
  return text === null || text === undefined ? '—' : `<bdi>${escape(text)}</bdi>`;
}

type Times = (at: string | null) => string;

/** Each time in UTC, and as the clocks showed it where the person may have been. */
function timesIn(zones: readonly string[]): Times {
  return (at) => {
    if (at === null) return '—';
    const utc = `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
    const local = zones.map((zone) => escape(localTimeText(zone, Date.parse(at)))).join('; ');
    const there = local === '' ? '' : ` <small>(${local})</small>`;
    return `<time datetime="${escape(at)}">${escape(utc)}</time>${there}`;
  };
}

/** A number of a large country may be in many zones; more than a few help nobody. */
const ZONES_SHOWN = 3;

function zonesOf({ number, timeZone }: EvidencePart['contact']): readonly string[] {
  if (timeZone !== null) return [timeZone];
  return number === null ? [] : zonesOfNumber(number).slice(0, ZONES_SHOWN);
}

/** The page, piece by piece; what is long in the bundle is long here, and never in memory. */
export async function* evidencePage(evidence: Evidence): AsyncGenerator<string> {
  const zones = zonesOf(evidence.contact);
  yield head(evidence);
  yield '<h1>Why this customer was asked, called or left alone</h1>\n';
  yield* chainPart(evidence, zones);
  for await (const part of evidence.absorbed) {
    yield absorbedHead(part, evidence);
    yield* chainPart(part, zones);
  }
  yield '</main></body></html>\n';
}

/** Ids and times of two contacts must not be taken for one another, so each has a part. */
function absorbedHead({ contact }: EvidencePart, { contact: goesOn }: Evidence): string {
  return `<h1>The same customer as contact ${escape(contact.id)}</h1>
<p>This contact turned out to be the same person and was absorbed by ${escape(goesOn.id)}. What
follows happened under it. It is a chain of its own, numbered and proven by itself.</p>\n`;
}

/** All about one contact. Local times are those of the person, who has their number once. */
async function* chainPart(
  evidence: EvidencePart,
  zones: readonly string[],
): AsyncGenerator<string> {
  const { requests, permissions, calls } = evidence;
  const time = timesIn(zones);
  yield opening(evidence, zones, time);
  yield section(
    'Requests for permission',
    requests.map((it) => requestPart(it, time)),
  );
  yield '<h2>Answers</h2>\n';
  yield* timeline(evidence.answers, time);
  yield section(
    'Permissions',
    permissions.map((it) => permissionPart(it, time)),
  );
  yield section(
    'Calls',
    calls.map((it) => callPart(it, time)),
  );
  yield '<h2>Requests and calls that were refused</h2>\n';
  yield* timeline(evidence.refusals, time);
  yield '<h2>Opt-outs and the do-not-call list</h2>\n';
  yield* timeline(evidence.optOuts, time);
  yield* proofPart(evidence, time);
}

function head({ contact }: EvidencePart): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escape(PAGE_POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Evidence about ${escape(contact.id)}</title>
<style>${STYLE}</style></head><body><main>
`;
}

function opening(evidence: EvidencePart, zones: readonly string[], time: Times): string {
  const { contact, generatedAt, accountId, lines, policyPacks, calls, requests } = evidence;
  const from = lines.map(({ name, displayNumber }) => `${own(name)} ${own(displayNumber)}`);
  return facts([
    ['Customer', `${own(contact.name)} ${own(contact.number ?? contact.userId)}`],
    ['Contact', escape(contact.id)],
    ['Business numbers', from.join('<br>') || '—'],
    ['Account', escape(accountId)],
    ['Policy packs', escape(policyPacks.join(', ')) || '—'],
    ['Do not call', contact.doNotCall ? 'yes' : 'no'],
    ['Opted out', time(contact.optedOutAt)],
    ['Requests, calls', `${requests.length}, ${calls.length}`],
    ['Written', time(generatedAt)],
    ['Time zones', zones.length === 0 ? 'not known; times are in UTC' : escape(zones.join(', '))],
  ]);
}

function facts(rows: ReadonlyArray<readonly [string, string]>): string {
  const shown = rows.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`);
  return `<dl>${shown.join('\n')}</dl>\n`;
}

function section(title: string, parts: readonly string[]): string {
  return `<h2>${title}</h2>\n${parts.join('') || '<p>None.</p>\n'}`;
}

function requestPart(request: RequestEvidence, time: Times): string {
  const { template, templateVersion, language, error } = request;
  const version = templateVersion === null ? '' : `, version ${templateVersion}`;
  const failure = error === null ? '—' : `${own(error.code)}: ${own(error.message)}`;
  return `<article><h3>Asked on ${time(request.createdAt)}</h3>
<p>The text as the customer saw it:</p>
<blockquote dir="auto">${request.text === null ? 'erased' : escape(request.text)}</blockquote>
${facts([
  ['Purpose', own(request.purpose)],
  ['Template', `${own(template)}${version}, ${own(language)}`],
  ['Promised call', time(request.promisedAt)],
  ['Status', escape(request.status)],
  ['Sent', time(request.sentAt)],
  ['Delivered', time(request.deliveredAt)],
  ['Read', time(request.readAt)],
  ['Answered', time(request.answeredAt)],
  ['Failure', failure],
  ['Policy pack', escape(request.policyPack)],
  ['Request', escape(request.id)],
  ['Ledger entries', request.ledger.join(', ')],
])}</article>\n`;
}

function permissionPart(permission: PermissionEvidence, time: Times): string {
  const { revokedAt, revokedBy } = permission;
  const revoked = revokedAt === null ? '—' : `${time(revokedAt)}, by ${own(revokedBy)}`;
  return `<article><h3>Granted on ${time(permission.grantedAt)}</h3>
${facts([
  ['Expires', permission.expiresAt === null ? 'only with a no' : time(permission.expiresAt)],
  ['Kind', `${escape(permission.kind)}, ${escape(permission.source)}`],
  ['Status', escape(permission.status)],
  ['Purpose', own(permission.purpose)],
  ['Used', time(permission.usedAt)],
  ['Used by call', own(permission.usedByCallId)],
  ['Revoked', revoked],
  ['Permission', escape(permission.id)],
  ['Answers request', own(permission.requestId)],
  ['Ledger entries', permission.ledger.join(', ')],
])}</article>\n`;
}

function callPart(call: CallEvidence, time: Times): string {
  const basis = [call.requestedIn, call.grantedIn, call.usedIn].map((it) => it ?? '—').join(', ');
  return `<article><h3>Call of ${time(call.initiatedAt ?? call.requestedAt)}</h3>
${facts([
  ['Purpose', own(call.purpose)],
  ['Planned', time(call.requestedAt)],
  ['Initiated', time(call.initiatedAt)],
  ['Rang', time(call.ringingAt)],
  ['Answered', time(call.answeredAt)],
  ['Completed', time(call.endedAt)],
  ['Duration', durationOf(call)],
  ['Outcome', `${own(call.outcome ?? call.status)} (${own(call.endReason)})`],
  ['Policy pack', own(call.policyPack)],
  ['Rests on entries', `${basis} <small>(question, yes, use of that yes)</small>`],
  ['Call', escape(call.id)],
  ['Ledger entries', call.ledger.join(', ')],
])}</article>\n`;
}

function durationOf({ cdr, answeredAt, endedAt }: CallEvidence): string {
  if (answeredAt === null || endedAt === null) return '0 s, not answered';
  const seconds = Math.max(0, Date.parse(endedAt) - Date.parse(answeredAt)) / 1_000;
  return `${cdr?.billableSeconds ?? Math.ceil(seconds)} s from the pick-up to the end`;
}

async function* timeline(
  entries: AsyncIterable<TimelineEntry>,
  time: Times,
): AsyncGenerator<string> {
  let isEmpty = true;
  for await (const { sequence, at, type, actor, data, personal, erased } of entries) {
    if (isEmpty) {
      yield '<table><tr><th>Entry<th>Time<th>What happened<th>By<th>Particulars</tr>\n';
      isEmpty = false;
    }
    const words = erased ? { ...data, personal: 'erased' } : { ...data, ...personal };
    yield (
      `<tr><td>${sequence}<td>${time(at)}<td>${escape(wordsOf(type))}<td>${own(actor)}<td>` +
        `${particulars(words)}</tr>\n`
    );
  }
  yield isEmpty ? '<p>None.</p>\n' : '</table>\n';
}

/** `PermissionGranted` → `Permission granted`. */
function wordsOf(type: string): string {
  const words = type.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words;
}

function particulars(data: Record<string, unknown>): string {
  return Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => {
      const text = typeof value === 'object' ? JSON.stringify(value) : value;
      return `${escape(name)}: ${own(text)}`;
    })
    .join('<br>');
}

async function* proofPart(evidence: EvidencePart, time: Times): AsyncGenerator<string> {
  const { checkpoint, ledger, ledgerHead, proofs } = evidence;
  yield '<h2>All entries, and how to prove them</h2>\n';
  yield '<table><tr><th>Entry<th>Time<th>What happened<th>Hash<th>Leaf of the tree</tr>\n';
  const places = proofs[Symbol.asyncIterator]();
  let place = await places.next();
  for await (const { sequence, at, type, hash } of ledger) {
    const leaf = leafAt(place, sequence);
    if (leaf !== null) place = await places.next();
    yield (
      `<tr><td>${sequence}<td>${time(at)}<td>${escape(wordsOf(type))}<td><code>` +
        `${escape(hash.slice(0, 16))}…</code><td>${leaf ?? 'not yet under a checkpoint'}</tr>\n`
    );
  }
  yield '</table>\n';
  const { sequence, hash } = ledgerHead;
  yield `<p>The last entry: number ${sequence}, hash <code>${escape(hash)}</code>.</p>\n`;
  const note = checkpoint.note ?? 'There is none yet.';
  yield `<h3>Signed checkpoint</h3><pre>${escape(note)}</pre>
<p>Public key: <code>${escape(checkpoint.verifierKey)}</code></p>
<p>This page is for reading. The same evidence as JSON carries the proofs of inclusion; check it
with
<code>npx askfirst audit verify --key KEY evidence.json</code>.</p>\n`;
}

function leafAt(place: IteratorResult<ProofView>, sequence: number): number | null {
  return place.done === true || place.value.sequence !== sequence ? null : place.value.leaf;
}
