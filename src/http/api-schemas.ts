import { z } from 'zod';
import { attributionOrNull } from '../attribution/attribution-schemas.ts';
import {
  callScriptSchema,
  holdsSchema,
  legNameSchema,
  listenersSchema,
  transfersSchema,
} from './call-control-schemas.ts';
import { mediaStatsOrNull } from './media-schemas.ts';
import { recordingBrief } from '../recording/recording-views.ts';
import type {
  CallView,
  ConsentView,
  ContactView,
  EligibilityView,
  LineView,
  PermissionRequestView,
  PermissionView,
  TimelineEntry,
} from './api-types.ts';

/** The shapes of `api-types.ts` as zod schemas: what OpenAPI shows and what answers are cut to. */
const instant = z.string().describe('RFC 3339, UTC');
const instantOrNull = instant.nullable();

const legQualitySchema = z.object({
  mos: z.number().nullable().describe('By the E-model, 1 to 4.4.'),
  rttMs: z.number().nullable(),
  jitterMs: z.number(),
  lossShare: z.number().describe('0 to 1.'),
});

const mediaProofSchema = z
  .array(
    z.object({
      step: z.enum([
        'answered',
        'ice_connected',
        'dtls_connected',
        'sdes_keyed',
        'endpoint_answered',
        'bridged',
        'whatsapp_first_packet_out',
        'whatsapp_first_packet_in',
        'whatsapp_first_sound_in',
        'endpoint_first_packet_out',
        'endpoint_first_packet_in',
        'endpoint_first_sound_in',
      ]),
      at: instant,
    }),
  )
  .describe('What proves that audio could pass, in order of time; packets after the end.');

const audioGapsSchema = z
  .array(
    z.object({
      leg: z.enum(['whatsapp', 'endpoint']),
      cause: z.enum([
        'wrong_address',
        'wrong_codec',
        'srtp_failed',
        'never_sent',
        'stopped',
        'muted',
        'ack_lost',
      ]),
      from: instant,
      to: instantOrNull,
    }),
  )
  // Records from before it do not have it.
  .default([])
  .describe('When a side of the bridged call could not be heard, and why.');
const textOrNull = z.string().nullable();

/** A name or label: one line, so that no header and no log line can be broken with it. */
export function oneLine(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(/^\P{Cc}*$/u, 'has no control characters, such as line breaks');
}

/** A token or password that travels in a header. */
export function credential(max: number) {
  return z
    .string()
    .min(1)
    .max(max)
    .regex(/^[\x21-\x7e]*$/, 'has visible ASCII characters only, and no spaces');
}

export const strategySchema = z.enum(['on_answer', 'on_ringing', 'agent_first']);

export const lineSchema = z.object({
  id: z.string(),
  name: z.string(),
  displayNumber: z.string(),
  country: z.string(),
  phoneNumberId: z.string(),
  wabaId: z.string(),
  graphBaseUrl: z.string(),
  graphVersion: z.string(),
  policyPack: z.string(),
  enabled: z.boolean(),
  restrictedUntil: instantOrNull,
  defaultEndpointId: textOrNull,
  optOutKey: textOrNull,
  keyExchange: z.enum(['dtls', 'sdes']).describe('Toward WhatsApp; Meta must have the same.'),
}) satisfies z.ZodType<LineView>;

export const CONSENT_STATUSES = [
  'none',
  'requested',
  'granted',
  'used',
  'declined',
  'expired',
  'revoked',
  'lapsed',
] as const;

export const consentSchema = z.object({
  lineId: z.string(),
  status: z.enum(CONSENT_STATUSES),
  permissionId: textOrNull,
  requestId: textOrNull,
  purpose: textOrNull,
  grantedAt: instantOrNull,
  expiresAt: instantOrNull,
  revokedAt: instantOrNull,
  revokedBy: textOrNull,
  requestsSent: z.number(),
  lastRequestAt: instantOrNull,
}) satisfies z.ZodType<ConsentView>;

export const contactSchema = z.object({
  id: z.string(),
  number: textOrNull,
  userId: textOrNull,
  name: textOrNull,
  country: textOrNull,
  language: textOrNull,
  timeZone: textOrNull.describe('One more zone whose calling hours are kept.'),
  doNotCall: z.boolean(),
  optedOutAt: instantOrNull,
  optOutPending: z
    .object({ since: instant, lineId: z.string() })
    .nullable()
    .describe('A message most likely meant stop; blocked until they answer.'),
  sanctionedRegion: z.object({ since: instant, by: z.string() }).nullable(),
  erasedAt: instantOrNull,
  mergedInto: textOrNull.describe('The contact that goes on for this one: it is one person.'),
  absorbed: z.array(z.string()).describe('Contacts that this one goes on for.'),
  history: z
    .object({
      requestsSent: z.number(),
      lastRequestAt: instantOrNull,
      callsPlaced: z.number(),
      callsConnected: z.number(),
      lastCallAt: instantOrNull,
      unansweredInRow: z.number(),
    })
    .describe('Over all lines; calls of the last 92 days.'),
  consents: z.array(consentSchema),
  createdAt: instant,
}) satisfies z.ZodType<ContactView>;

export const requestSchema = z.object({
  id: z.string(),
  contactId: z.string(),
  lineId: z.string(),
  purpose: z.string(),
  template: z.string(),
  templateVersion: z.number().nullable().describe("Of the template's content."),
  language: z.string(),
  promisedAt: instantOrNull.describe('When you promised to call.'),
  text: z.string().describe('As the customer saw it.'),
  status: z.enum([
    'queued',
    'sent',
    'delivered',
    'read',
    'failed',
    'granted',
    'declined',
    'lapsed',
    'planned',
    'cancelled',
    'refused',
  ]),
  createdAt: instant,
  sendAt: instantOrNull.describe('When it is asked, or was to be, of one that is planned.'),
  answeredAt: instantOrNull,
  quickReply: z
    .object({
      answer: z.enum(['yes', 'no']),
      at: instant,
      nativeMessageId: textOrNull.describe('The native request that followed a yes.'),
    })
    .nullable()
    .describe('The latest tap on a quick reply.'),
  attribution: attributionOrNull,
  error: z.object({ code: z.string(), message: z.string(), fix: z.string() }).nullable(),
}) satisfies z.ZodType<PermissionRequestView>;

export const permissionSchema = z.object({
  id: z.string(),
  contactId: z.string(),
  lineId: z.string(),
  requestId: textOrNull,
  purpose: textOrNull,
  kind: z.enum(['temporary', 'permanent']),
  status: z.enum(['granted', 'used', 'expired', 'revoked']),
  grantedAt: instant,
  expiresAt: instantOrNull,
  usedByCallId: textOrNull,
  revokedAt: instantOrNull,
  revokedBy: textOrNull,
}) satisfies z.ZodType<PermissionView>;

const outcomeSchema = z.enum([
  'completed',
  'no_answer',
  'busy',
  'rejected',
  'canceled',
  'failed',
  'blocked',
]);
const endedBySchema = z.enum(['customer', 'business', 'endpoint', 'platform']);

export const callSchema = z.object({
  id: z.string(),
  contactId: z.string(),
  lineId: z.string(),
  endpointId: z.string(),
  agentId: textOrNull.describe('The agent in a browser who has, or had, the customer last.'),
  permissionId: textOrNull,
  purpose: z.string(),
  strategy: strategySchema,
  status: z.enum(['queued', 'dialing', 'initiated', 'ringing', 'answered', 'bridged', 'ended']),
  waitsFor: textOrNull.describe('Why a due call is not dialled yet, such as agents_unavailable.'),
  outcome: outcomeSchema.nullable(),
  endReason: textOrNull,
  endedBy: endedBySchema.nullable(),
  clientReference: textOrNull,
  attribution: attributionOrNull,
  requestedAt: instant,
  dueAt: instant,
  latestAt: instant.describe('After it a waiting call is not dialled any more.'),
  priority: z.number().describe('0 to 9; 9 goes first among those that are due.'),
  initiatedAt: instantOrNull,
  ringingAt: instantOrNull,
  answeredAt: instantOrNull,
  bridgedAt: instantOrNull,
  endedAt: instantOrNull,
  audioGaps: audioGapsSchema,
  quality: z
    .object({ whatsapp: legQualitySchema, endpoint: legQualitySchema })
    .nullable()
    .describe('How each leg sounded; null before the end.'),
  mediaProof: mediaProofSchema,
  muted: z.array(legNameSchema).describe('Legs that reach nobody at present.'),
  holds: holdsSchema,
  transfers: transfersSchema,
  listeners: listenersSchema,
  script: callScriptSchema,
}) satisfies z.ZodType<CallView>;

const endpointAttemptsSchema = z
  .array(
    z.object({
      target: textOrNull,
      sipCallId: z.string(),
      invitedAt: instant,
      sipStatus: z.number().nullable(),
    }),
  )
  // Records from before targets do not have it.
  .default([])
  .describe('Every target of the endpoint that was called, in order.');

export const cdrSchema = z.object({
  callId: z.string(),
  accountId: z.string().describe('Whose call it was, where files of several come together.'),
  direction: z.literal('outbound'),
  lineId: z.string(),
  businessNumber: z.string(),
  businessCountry: z.string(),
  contactId: z.string(),
  customerNumber: textOrNull,
  customerUserId: textOrNull,
  customerCountry: textOrNull,
  endpointId: z.string(),
  agentId: textOrNull.default(null).describe('The agent in a browser who had the customer last.'),
  purpose: z.string(),
  clientReference: textOrNull,
  attribution: attributionOrNull,
  keyId: textOrNull.default(null).describe('The API key that asked for the call.'),
  permissionId: textOrNull,
  permissionAgeMs: z.number().nullable().describe("The age of the customer's yes at the dial."),
  policyPack: textOrNull,
  strategy: strategySchema,
  requestedAt: instant,
  dueAt: instantOrNull.describe('When it was to be dialled; null in records from before.'),
  dialedAt: instantOrNull,
  initiatedAt: instantOrNull,
  ringingAt: instantOrNull,
  answeredAt: instantOrNull,
  bridgedAt: instantOrNull,
  endedAt: instant,
  postDialDelayMs: z.number().nullable().describe("From the dial to the customer's ring."),
  ringMs: z.number().nullable(),
  talkMs: z.number().nullable(),
  deadAirMs: z.number().nullable().describe("From pick-up to the endpoint's first audio."),
  billableSeconds: z.number(),
  billablePulses: z.number().describe('Of 6 seconds, as Meta bills.'),
  outcome: outcomeSchema,
  endReason: z.string(),
  endedBy: endedBySchema,
  wacid: textOrNull,
  metaErrors: z.array(z.number()),
  sipCallId: textOrNull,
  sipStatus: z.number().nullable(),
  endpointAttempts: endpointAttemptsSchema,
  holds: holdsSchema,
  holdMs: z.number().default(0).describe('How long the customer was on hold, holds together.'),
  transfers: transfersSchema,
  listeners: listenersSchema,
  script: callScriptSchema,
  dtmfCount: z.number().nullable().describe('How many keys the customer pressed, not which.'),
  audioGaps: audioGapsSchema,
  recordings: z.array(recordingBrief),
  deadAirAlarms: z.number(),
  mediaProof: mediaProofSchema,
  media: mediaStatsOrNull,
});

export const timelineSchema = z.object({
  sequence: z.number(),
  type: z.string(),
  actor: z.string(),
  at: instant,
  data: z.record(z.string(), z.unknown()),
  personal: z.record(z.string(), z.unknown()).nullable(),
  erased: z.boolean(),
}) satisfies z.ZodType<TimelineEntry>;

export const eligibilitySchema = z.object({
  allowed: z.boolean(),
  at: instant,
  allowedAt: instantOrNull,
  latestAt: instantOrNull,
  policyPack: z.string(),
  layers: z.array(z.string()),
  contactId: textOrNull,
  permissionId: textOrNull,
  rules: z.array(
    z.object({
      rule: z.string(),
      layer: z.string(),
      verdict: z.enum(['pass', 'warn', 'refuse', 'not_applicable']),
      code: textOrNull,
      message: z.string(),
      fix: textOrNull,
      allowedAt: instantOrNull,
      source: z.string(),
      evidence: z.record(z.string(), z.unknown()),
    }),
  ),
}) satisfies z.ZodType<EligibilityView>;
