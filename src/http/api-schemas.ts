import { z } from 'zod';
import type {
  CallView,
  ConsentView,
  ContactView,
  EligibilityView,
  EndpointView,
  LineView,
  PermissionRequestView,
  PermissionView,
  TimelineEntry,
} from './api-types.ts';

/** The shapes of `api-types.ts` as zod schemas: what OpenAPI shows and what answers are cut to. */
const instant = z.string().describe('RFC 3339, UTC');
const instantOrNull = instant.nullable();
const textOrNull = z.string().nullable();

export const strategySchema = z.enum(['on_answer', 'on_ringing', 'agent_first']);

export const lineSchema = z.object({
  id: z.string(),
  name: z.string(),
  displayNumber: z.string(),
  country: z.string(),
  phoneNumberId: z.string(),
  policyPack: z.string(),
  enabled: z.boolean(),
  restrictedUntil: instantOrNull,
  defaultEndpointId: textOrNull,
}) satisfies z.ZodType<LineView>;

export const endpointSchema = z.object({
  id: z.string(),
  name: z.string(),
  uri: z.string(),
  codecs: z.array(z.string()),
  strategy: strategySchema,
  ringTimeoutMs: z.number(),
}) satisfies z.ZodType<EndpointView>;

export const consentSchema = z.object({
  lineId: z.string(),
  status: z.enum([
    'none',
    'requested',
    'granted',
    'used',
    'declined',
    'expired',
    'revoked',
    'lapsed',
  ]),
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
  doNotCall: z.boolean(),
  optedOutAt: instantOrNull,
  consents: z.array(consentSchema),
  createdAt: instant,
}) satisfies z.ZodType<ContactView>;

export const requestSchema = z.object({
  id: z.string(),
  contactId: z.string(),
  lineId: z.string(),
  purpose: z.string(),
  template: z.string(),
  language: z.string(),
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
  ]),
  createdAt: instant,
  answeredAt: instantOrNull,
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
  expiresAt: instant,
  usedByCallId: textOrNull,
  revokedAt: instantOrNull,
  revokedBy: textOrNull,
}) satisfies z.ZodType<PermissionView>;

export const callSchema = z.object({
  id: z.string(),
  contactId: z.string(),
  lineId: z.string(),
  endpointId: z.string(),
  permissionId: textOrNull,
  purpose: z.string(),
  strategy: strategySchema,
  status: z.enum(['queued', 'dialing', 'initiated', 'ringing', 'answered', 'bridged', 'ended']),
  outcome: z
    .enum(['completed', 'no_answer', 'busy', 'rejected', 'canceled', 'failed', 'blocked'])
    .nullable(),
  endReason: textOrNull,
  endedBy: z.enum(['customer', 'business', 'endpoint', 'platform']).nullable(),
  clientReference: textOrNull,
  requestedAt: instant,
  initiatedAt: instantOrNull,
  ringingAt: instantOrNull,
  answeredAt: instantOrNull,
  bridgedAt: instantOrNull,
  endedAt: instantOrNull,
}) satisfies z.ZodType<CallView>;

export const timelineSchema = z.object({
  sequence: z.number(),
  type: z.string(),
  actor: z.string(),
  at: instant,
  data: z.record(z.string(), z.unknown()),
}) satisfies z.ZodType<TimelineEntry>;

export const eligibilitySchema = z.object({
  allowed: z.boolean(),
  policyPack: z.string(),
  contactId: textOrNull,
  permissionId: textOrNull,
  rules: z.array(
    z.object({
      rule: z.string(),
      verdict: z.enum(['pass', 'refuse', 'not_applicable']),
      code: textOrNull,
      message: z.string(),
      fix: textOrNull,
      allowedAt: instantOrNull,
      source: z.string(),
    }),
  ),
}) satisfies z.ZodType<EligibilityView>;
