import { z } from 'zod';
import {
  columnName,
  columnText,
  contactLanguage,
  contactTag,
  contactTimeZone,
} from '../contacts/contact-fields.ts';
import { experimentIdField } from '../experiments/experiment-schemas.ts';
import { CONSENT_STATUSES, oneLine } from '../http/api-schemas.ts';
import { CAMPAIGN_LIMITS, CAMPAIGN_STATES, LAST_CALLS, MEMBER_STATES } from './campaign.ts';

/** What `/v1/campaigns` takes and gives. */
const variableName = z
  .string()
  .regex(/^[a-z][A-Za-z0-9_]{0,39}$/, 'begins with a small letter, then letters, digits or _');
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is a time of day such as 09:00');
const instant = z.string().describe('RFC 3339, UTC');

const historyFields = {
  lastCall: z
    .enum(LAST_CALLS)
    .optional()
    .describe('How the last call that was dialled ended; `never`: none was.'),
  permission: z
    .enum(CONSENT_STATUSES)
    .optional()
    .describe('How it stands on the line: `declined`, `expired`, `granted`, …'),
  lastContactBefore: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Neither asked nor dialled since then, or never.'),
  lastContactAfter: z.iso.datetime({ offset: true }).optional(),
  notReachedDays: z
    .int()
    .min(1)
    .max(3_650)
    .optional()
    .describe('No call of theirs was answered in so many days.'),
  ofCampaign: z
    .strictObject({
      id: z.string(),
      result: oneLine(60).optional().describe('How it ended with them, or which rule said no.'),
    })
    .optional()
    .describe('Who was in that campaign.'),
  column: z
    .strictObject({ name: columnName, equals: columnText.min(1) })
    .optional()
    .describe('A further column says exactly that. Its text is kept as a mark only.'),
};

const audienceBody = z
  .strictObject({
    importId: z.string().optional().describe('Everybody whom this import brought.'),
    tag: contactTag.optional().describe('Everybody who carries this tag.'),
    contactIds: z.array(z.string()).min(1).max(CAMPAIGN_LIMITS.contactIds).optional(),
    everybody: z.literal(true).optional().describe('All contacts of the account.'),
    language: contactLanguage.optional(),
    country: z
      .string()
      .regex(/^[A-Z]{2}$/, 'is a country code such as DE')
      .optional()
      .describe('ISO 3166-1 alpha-2 of the number.'),
    timeZone: contactTimeZone.optional(),
    ...historyFields,
  })
  .describe('All that is named must hold; people are gathered once, when the draft is made.');

const windowBody = z
  .strictObject({
    days: z.array(z.int().min(1).max(7)).min(1).max(7).describe('1 is Monday, 7 is Sunday.'),
    from: timeOfDay,
    until: timeOfDay.describe('The first minute outside.'),
    timeZone: contactTimeZone,
  })
  .refine(({ from, until }) => from < until, { error: 'ends after it begins', path: ['until'] })
  .describe("Hours at which it takes people, asks and dials; the gate's own hours hold as well.");

const askBody = z.strictObject({
  template: oneLine(200),
  language: oneLine(20).optional(),
  purpose: z.string().min(1).max(500).describe('What the call will be about, as people read it.'),
  templateVariables: z.array(z.string().min(1).max(1_000)).max(20).optional(),
  waitFor: z
    .string()
    .regex(/^\d{1,4}(m|h|d)$/, 'is a whole number and a unit: 30m, 24h or 2d')
    .default('24h')
    .describe('How long an answer is waited for.'),
  endpoint: oneLine(100).optional().describe('Name or id; default: by routing.'),
  script: oneLine(100).optional().describe('Name or id of the script that leads the call.'),
  scriptVariables: z.record(variableName, z.string().min(1).max(200)).optional(),
  ringTimeoutMs: z.int().min(5_000).max(120_000).optional(),
});

const paceFields = {
  window: windowBody.nullable().optional(),
  startsPerMinute: z
    .int()
    .min(1)
    .max(CAMPAIGN_LIMITS.startsPerMinuteMax)
    .optional()
    .describe(`People who begin in a minute; default: ${CAMPAIGN_LIMITS.startsPerMinuteDefault}.`),
  priority: z.int().min(0).max(9).nullable().optional().describe('9 goes first.'),
  callsPerSecond: z.number().min(0.001).max(10_000).nullable().optional(),
  concurrentCalls: z.int().min(1).max(100_000).nullable().optional(),
  endAt: z.iso.datetime({ offset: true }).nullable().optional().describe('Nobody begins later.'),
};

export const campaignBody = z.strictObject({
  name: oneLine(100),
  lineId: z.string().optional(),
  audience: audienceBody,
  journeyId: z.string().optional().describe('The journey; or `ask` for the simplest one.'),
  journeyVersion: z.int().min(1).optional().describe('Default: the newest.'),
  ask: askBody.optional().describe('Ask, then call who says yes; saved as a journey.'),
  variables: z
    .record(
      variableName,
      z.union([
        z.strictObject({ text: z.string().min(1).max(200) }),
        z.strictObject({ column: z.string().min(1).max(63) }),
      ]),
    )
    .default({})
    .describe('What the journey declares: a text for all, or a column of each contact.'),
  experimentId: experimentIdField.describe(
    'The server draws the arm of each person; they are asked and called as it says.',
  ),
  ...paceFields,
});
export type CampaignBody = z.infer<typeof campaignBody>;

export const campaignChange = z.strictObject({ name: oneLine(100).optional(), ...paceFields });
export type CampaignChange = z.infer<typeof campaignChange>;

const people = z.int().min(0);
const byReason = z.array(z.object({ code: z.string(), people, fix: z.string() }));
const rate = z.object({
  value: z.number().nullable().describe('Null: too few cases to know.'),
  cases: people.describe('From so many of the line in the last 28 days.'),
});
const estimate = z.number().nullable();

export const previewSchema = z.object({
  state: z.enum(['counting', 'done', 'failed']),
  askedAt: instant,
  finishedAt: instant.nullable(),
  asks: z.boolean().describe('Whether the journey asks for permission at all.'),
  looked: people.describe('People looked at so far.'),
  reachable: people.describe('With a live permission, whom a call would be allowed to now.'),
  askable: people.describe('Who need a request, which would be allowed now.'),
  later: people.describe('Whom time alone keeps back.'),
  laterFrom: instant.nullable(),
  blocked: z
    .array(
      z.object({
        code: z.string(),
        rule: z.string().nullable(),
        people,
        later: z.boolean().describe('Time alone opens it again.'),
        fix: z.string(),
      }),
    )
    .describe('By which rule, most people first.'),
  requestsLeft: people.describe('Requests the limits leave for these people in seven days.'),
  elsewhere: people.describe('Who of them waits in other campaigns of the line, too.'),
  expected: z
    .object({
      grantRate: rate,
      answerRate: rate,
      talkSeconds: rate,
      grants: estimate,
      calls: estimate,
      answers: estimate,
      minutes: estimate,
      cost: z.string().nullable(),
      currency: z.string().nullable(),
      costReason: z.string().nullable().describe('Why there is no cost.'),
    })
    .nullable(),
});
export type PreviewView = z.infer<typeof previewSchema>;

export const campaignSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(CAMPAIGN_STATES as [string, ...string[]]),
  lineId: z.string(),
  journeyId: z.string(),
  journeyVersion: z.int(),
  audience: z.object({
    importId: z.string().nullable(),
    tag: z.string().nullable(),
    listed: people.nullable().describe('So many named by their ids.'),
    language: z.string().nullable(),
    country: z.string().nullable(),
    timeZone: z.string().nullable(),
    history: z
      .object({
        lastCall: z.string().nullable(),
        permission: z.string().nullable(),
        lastContactBefore: instant.nullable(),
        lastContactAfter: instant.nullable(),
        notReachedDays: z.int().nullable(),
        ofCampaign: z.object({ id: z.string(), result: z.string().nullable() }).nullable(),
        column: z.string().nullable().describe('Its name; what it says is not kept.'),
      })
      .nullable(),
  }),
  variables: z.record(
    z.string(),
    z.object({ text: z.string() }).or(z.object({ column: z.string() })),
  ),
  window: windowBody.nullable(),
  startsPerMinute: z.int(),
  priority: z.int().nullable(),
  callsPerSecond: z.number().nullable(),
  concurrentCalls: z.int().nullable(),
  endAt: instant.nullable(),
  experimentId: z.string().nullable().describe('Whose arms change how its people are asked.'),
  gathering: z.boolean().describe('Its people are still being gathered.'),
  people: z.object({
    total: people,
    waiting: people,
    running: people,
    done: people,
    skipped: people,
  }),
  progress: z.object({
    share: z.number().describe('Of all people, who are through or were left out.'),
    perMinute: z.number().nullable().describe('Who began or were left out, while it ran.'),
    secondsLeft: z.number().nullable().describe('Until nobody waits, by that rate.'),
  }),
  rests: z
    .object({ why: z.enum(['paused', 'closed']), until: instant.nullable() })
    .nullable()
    .describe('Why nothing of it is asked or dialled right now.'),
  waiting: byReason.describe('Why people wait for longer, most first.'),
  ends: z.array(z.object({ end: z.string(), people })).describe('How journeys ended.'),
  skipped: byReason.describe('By which rule people were left out, and what would help.'),
  preview: previewSchema.nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  peopleForgottenAt: instant
    .nullable()
    .describe('Since then only how many people there were is known, and not who they were.'),
});
export type CampaignView = z.infer<typeof campaignSchema>;

export const memberState = z.enum(MEMBER_STATES);

export const memberSchema = z.object({
  contactId: z.string(),
  state: memberState,
  reason: z.string().nullable().describe('How it ended, why it waits, or which rule said no.'),
  runId: z.string().nullable(),
  dueAt: instant.nullable().describe('When a person who waits is looked at again.'),
  updatedAt: instant,
});
export type MemberView = z.infer<typeof memberSchema>;
