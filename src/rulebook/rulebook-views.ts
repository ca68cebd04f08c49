import { z } from 'zod';
import { WEEKDAYS } from '../policy/limits.ts';

/** How the rules of an account are shown; times are RFC 3339 UTC, durations milliseconds. */

const spans = z.array(z.array(z.string()));

export const ownLimitsView = z.object({
  callingHours: z
    .object(Object.fromEntries(WEEKDAYS.map((day) => [day, spans])))
    .nullable()
    .describe('Spans by weekday, by the customer’s clock; null: nothing set.'),
  closedDates: z.array(z.string()).nullable(),
  requestQuietHours: z.object({ from: z.string(), until: z.string() }).nullable(),
  callCaps: z.array(z.object({ callsMax: z.number(), windowMs: z.number() })).nullable(),
  requestCaps: z.array(z.object({ requestsMax: z.number(), windowMs: z.number() })).nullable(),
  refusalLockMs: z.number().nullable(),
  callWithinMs: z.number().nullable(),
  unanswered: z
    .object({
      warnAt: z.number(),
      stopAt: z.number(),
      restMs: z.number(),
      hardStopAt: z.number(),
    })
    .nullable(),
  lineCallsMax: z.number().nullable(),
  idle: z
    .array(z.object({ field: z.string(), because: z.string() }))
    .describe('Limits that change nothing, and the pack or account that is as strict.'),
});

export const accountPolicyView = ownLimitsView.extend({
  lawOverlays: z
    .union([z.enum(['automatic', 'off']), z.array(z.string())])
    .describe(
      'automatic: the laws of the customer’s place; off: none; a list: of those only these.',
    ),
});

export const linePolicyView = ownLimitsView.extend({ lineId: z.string(), policyPack: z.string() });

export const changeView = z.object({
  id: z.string(),
  lineId: z.string().nullable(),
  kind: z.enum(['account_policy', 'line_policy', 'line_pack']),
  actor: z.string(),
  before: z.unknown(),
  after: z.unknown(),
  reportId: z.string().nullable(),
  at: z.string(),
});

const sourceView = z.object({ section: z.string(), sentence: z.string(), seen: z.string() });

export const packView = z.object({
  name: z.string(),
  kind: z.enum(['pack', 'law']),
  title: z.string(),
  date: z.string(),
  source: z.object({ title: z.string(), url: z.string() }),
  appliesTo: z
    .object({
      countries: z.array(z.string()),
      states: z.array(z.string()),
      prefixes: z.array(z.string()),
      elsewhere: z.boolean(),
    })
    .nullable()
    .describe('Of a law: whose customers it binds.'),
  values: z.record(z.string(), z.unknown()).describe('Everything that the file sets.'),
  rules: z.record(z.string(), sourceView).describe('Of a pack: each rule with its sentence.'),
  remarks: z.array(z.string()),
  usedByLines: z.array(z.string()),
});

export const diffView = z.object({
  from: z.string(),
  to: z.string(),
  differences: z.array(
    z.object({
      path: z.string(),
      change: z.enum(['added', 'removed', 'changed']),
      from: z.unknown(),
      to: z.unknown(),
    }),
  ),
});

const counts = z.record(z.string(), z.number());
const ruleChoice = z.object({
  policyPack: z.string(),
  lawOverlays: z.union([z.string(), z.array(z.string())]),
});

export const reportView = z.object({
  id: z.string(),
  lineId: z.string(),
  before: ruleChoice,
  after: ruleChoice,
  madeAt: z.string(),
  validUntil: z.string().describe('Until then it confirms the switch.'),
  contactsChecked: z.number(),
  permissions: z.object({
    earlier: z.number().describe('Live permissions that would end earlier.'),
    endAtOnce: z.number(),
    examples: z.array(
      z.object({
        contactId: z.string(),
        permissionId: z.string(),
        expiresAt: z.string().nullable(),
        wouldExpireAt: z.string(),
      }),
    ),
  }),
  calls: z.object({
    refused: z.number().describe('Queued calls that would be refused at their time.'),
    byRule: counts,
    examples: z.array(
      z.object({
        callId: z.string(),
        contactId: z.string(),
        dueAt: z.string(),
        rule: z.string(),
        layer: z.string(),
        message: z.string(),
      }),
    ),
  }),
  contacts: z.object({
    barred: z.number().describe('Who could not be asked any more, however long one waits.'),
    delayed: z.number().describe('Who could be asked now, and only later under the other rules.'),
    freed: z.number(),
    byRule: counts,
    examples: z.array(
      z.object({
        contactId: z.string(),
        rule: z.string(),
        layer: z.string(),
        message: z.string(),
      }),
    ),
  }),
});
export type ReportView = z.infer<typeof reportView>;
