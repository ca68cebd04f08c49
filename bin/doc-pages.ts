import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { callDiagram } from '../src/calls/call.ts';
import { CALL_LIMITS } from '../src/calls/call-rules.ts';
import { CAMPAIGN_LIMITS, campaignDiagram } from '../src/campaigns/campaign.ts';
import { END_REASONS } from '../src/calls/end-codes.ts';
import { consentDiagram } from '../src/consent/consent.ts';
import { errorCatalogue } from '../src/error-catalogue.ts';
import type { ErrorEntry, ErrorSection } from '../src/http/docs-routes.ts';
import { SETTINGS_SHAPE } from '../src/settings.ts';
import { EVENT_MEANINGS } from '../src/webhooks/event-meanings.ts';
import { ATTEMPT_TIMEOUT_MS, EVENT_TYPES, RETRY_SCHEDULE_MS } from '../src/webhooks/webhooks.ts';
import { TOLERANCE_SECONDS } from '../src/webhooks/signing.ts';
import { journeyPage } from './journey-page.ts';
import { packPage } from './pack-page.ts';

/** The pages, and the parts of pages, that are made from the tables the program itself reads. */
const root = dirname(import.meta.dirname);
const NOTE = '<!-- Written by "node bin/docs.ts" from the tables in src; do not edit by hand. -->';

export type DocPage = { path: string; text: string };

export function docPages(): DocPage[] {
  return [
    { path: 'docs/reference/errors.md', text: errorsPage(errorCatalogue()) },
    { path: 'docs/reference/settings.md', text: settingsPage() },
    { path: 'docs/reference/events.md', text: eventsPage() },
    { path: 'docs/reference/journey-language.md', text: `${NOTE}\n\n${journeyPage()}\n` },
    { path: 'docs/reference/packs.md', text: `${NOTE}\n\n${packPage()}` },
    withBlocks('docs/explanation/calls.md', {
      diagram: mermaid(callDiagram()),
      limits: limitTable(),
      'end reasons': endReasonTable(),
    }),
    withBlocks('docs/reference/campaigns.md', {
      states: mermaid(campaignDiagram()),
      limits: campaignLimits(),
    }),
    withBlocks('docs/explanation/consent.md', { diagram: mermaid(consentDiagram()) }),
  ];
}

function campaignLimits(): string {
  const { open, contactIds, page, batch } = CAMPAIGN_LIMITS;
  const { startsPerMinuteDefault, startsPerMinuteMax } = CAMPAIGN_LIMITS;
  return table(
    ['what', 'at most'],
    [
      ['campaigns of an account that are not over', String(open)],
      ['people named by their ids', String(contactIds)],
      [
        'people who begin in a minute',
        `${startsPerMinuteMax}; ${startsPerMinuteDefault} by default`,
      ],
      ['people who are looked at in one transaction', String(batch)],
      ['people of one page of a preview', String(page)],
    ],
  );
}

/** A page as it is on disk, or empty. */
export function pageOnDisk(path: string): string {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : '';
}

function errorsPage(sections: readonly ErrorSection[]): string {
  const about =
    'Every code that Askfirst answers: in the `code` of a problem (RFC 9457), in the `endReason` ' +
    'of a call, in the log, and on the last line of a start that failed. Switch on the code, ' +
    'never on the text. A running server shows this list at `/docs/errors`.';
  return page('Error codes', [
    about,
    ...sections.flatMap(({ title, about: aboutSection, entries }) => [
      `## ${title}`,
      aboutSection,
      ...entries.flatMap(errorEntry),
    ]),
  ]);
}

function errorEntry({ code, title, meaning, fix, facts }: ErrorEntry): string[] {
  const text = meaning === null ? title : `${title} ${meaning}`;
  const end = facts.length === 0 ? '' : `\n\n*${facts.join(' · ')}*`;
  return [`### ${code}`, `${text}\n\n**Fix:** ${fix}${end}`];
}

/** Depends on the machine, so the page says the rule instead of this machine's number. */
const DEFAULT_TEXTS: Readonly<Record<string, string>> = {
  ASKFIRST_MEDIA_WORKERS: 'one per processor',
};

/** Read by `npm start` alone, so they stand in no schema. */
const START_SETTINGS = [
  ['ASKFIRST_SIMULATOR_PORT', '`8090`', 'Port of the simulated Meta.'],
  ['ASKFIRST_PBX_PORT', '`5070`', 'SIP port of the demo PBX.'],
] as const;

function settingsPage(): string {
  const rows = Object.entries(SETTINGS_SHAPE).map(([name, schema]) => {
    const read = schema.safeParse(undefined);
    const value = read.success ? read.data : undefined;
    const fixed = DEFAULT_TEXTS[name];
    const shown = fixed ?? (value === undefined ? 'not set' : `\`${String(value)}\``);
    return [name, shown, schema.description ?? ''] as const;
  });
  return page('Settings', [
    'Settings come from the environment alone. An unusable value ends the start with the name of ' +
      'the variable, the rule it breaks and the fix. An empty value counts as not set.',
    table(
      ['variable', 'default', 'what it is'],
      rows.map(([name, shown, about]) => [`\`${name}\``, shown, about]),
    ),
    '## Only for `npm start`',
    table(
      ['variable', 'default', 'what it is'],
      START_SETTINGS.map(([name, shown, about]) => [`\`${name}\``, shown, about]),
    ),
    'What belongs to a line (Graph URL, token, app secret, verify token, policy pack) is no ' +
      'setting: `POST /v1/lines` stores it, sealed where it is secret.',
  ]);
}

function eventsPage(): string {
  const waits = RETRY_SCHEDULE_MS.slice(1).map(durationText).join(', ');
  const example = {
    id: 'evt_…',
    type: 'call.ended',
    timestamp: '2026-06-03T12:00:41.120Z',
    sequence: 5,
    contactId: 'cont_…',
    callId: 'call_…',
    data: { call: { id: 'call_…', outcome: 'completed' }, cdr: { talkMs: 31_000 } },
  };
  return page('Events', [
    'What happens to customers, permissions and calls is told to your webhook endpoints ' +
      '(`POST /v1/webhook-endpoints`) and kept under `GET /v1/events`. An event commits together ' +
      'with the change it tells of. It is delivered at least once and in no promised order: ' +
      'deduplicate by `id`, and order the events of one call by `sequence`.',
    '## Types',
    table(
      ['type', 'when', '`data`'],
      EVENT_TYPES.map((type) => {
        const { when, data } = EVENT_MEANINGS[type];
        return [`\`${type}\``, when, data];
      }),
    ),
    '`webhook.test` is sent by `POST /v1/webhook-endpoints/{id}/test` alone and is not kept. ' +
      '`call`, `cdr` and `permission` have the shapes of `GET /v1/calls/{id}`, ' +
      '`GET /v1/calls/{id}/cdr` and `GET /v1/permissions/{id}`.',
    '## Body',
    ['```json', JSON.stringify(example, null, 2), '```'].join('\n'),
    '`sequence` counts the events of one call from 1 without gaps; it is 0 for events that ' +
      'belong to no call.',
    '## Delivery',
    'Headers and signature follow Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, ' +
      '`webhook-signature` (`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body` under the ' +
      'secret). Any library for it verifies them; refuse timestamps more than ' +
      `${TOLERANCE_SECONDS / 60} minutes away.`,
    `Answer 2xx within ${ATTEMPT_TIMEOUT_MS / 1_000} s. Anything else is tried again after ` +
      `${waits}; then the delivery is a dead letter, which you can see and send again ` +
      '(`/v1/webhook-endpoints/{id}/deliveries`, `/recover`). 410 switches the endpoint off.',
  ]);
}

/** What each deadline of a call waits for; the times come from the rules themselves. */
const LIMIT_TEXTS: Readonly<Record<string, string>> = {
  mediaAnswerMs: "Meta's SDP answer, after its 200",
  dialUnknownMs: 'news of a dial whose answer was lost',
  agentMs: 'the endpoint to answer, where it comes first',
  terminateConfirmMs: "Meta's terminate webhook, after our hang-up",
  settleMs: "companions of Meta's terminate webhook that are still missing",
  bridgeMs: 'audio with the endpoint, from the pick-up on',
  scriptGraceMs: 'a script to end, behind the longest time that it gives itself',
  nobodyMs: 'what `whenNobody` plays to end, behind the `maxMs` of the endpoint',
  metaAnswerMs: "Meta's own answer about the permission, where the policy pack wants it",
  lateMs: 'a gateway to dial a call that is due; then it is blocked',
};

function limitTable(): string {
  const rows = Object.entries(CALL_LIMITS).map(([name, ms]) => {
    const text = LIMIT_TEXTS[name];
    if (text === undefined) throw new Error(`say in LIMIT_TEXTS what ${name} waits for`);
    return [text, durationText(ms)];
  });
  const ring = ['the customer to pick up', "the call's `ringTimeoutMs`, 60 s unless given"];
  return table(['a call waits for', 'at most'], [ring, ...rows]);
}

function endReasonTable(): string {
  return table(
    ['`endReason`', 'outcome', 'meaning'],
    Object.entries(END_REASONS).map(([code, { meaning, outcomes }]) => [
      `[\`${code}\`](../reference/errors.md#${code})`,
      outcomes.join(', '),
      meaning,
    ]),
  );
}

function page(title: string, parts: readonly string[]): string {
  return `# ${title}\n\n${NOTE}\n\n${parts.join('\n\n')}\n`;
}

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function mermaid(text: string): string {
  return ['```mermaid', text.trimEnd(), '```'].join('\n');
}

/** A page written by hand, with the generated blocks put between their markers. */
function withBlocks(path: string, blocks: Readonly<Record<string, string>>): DocPage {
  let text = pageOnDisk(path);
  for (const [name, block] of Object.entries(blocks)) {
    const begin = `<!-- ${name}: written by "node bin/docs.ts" -->`;
    const end = `<!-- end of ${name} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`${path} lacks the markers of "${name}"`);
    text = `${text.slice(0, from)}${begin}\n\n${block}\n\n${text.slice(to)}`;
  }
  return { path, text };
}

function durationText(ms: number): string {
  if (ms < 180_000) return `${ms / 1_000} s`;
  return ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;
}
