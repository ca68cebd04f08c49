import { z } from 'zod';
import { DEFAULT_RETURN_MS, GROUP_SHAPE } from '../agents/agent.ts';
import { credential, oneLine, strategySchema } from '../http/api-schemas.ts';
import type { EndpointView } from '../http/api-types.ts';
import { languageTag } from '../scripts/script.ts';
import {
  CALLER_IDS,
  DEFAULT_OPTIONS,
  ENDPOINT_MEANWHILE,
  ENDPOINT_SRTP,
  FAILOVER_CAUSES,
  NOBODY_ACTIONS,
  TARGETS_MAX,
  USER_TO_USER,
} from './endpoint.ts';

/** Only SIP: a `tel:` URI would leave VoIP, which Meta forbids on every leg of a call. */
const SIP_USER = String.raw`[A-Za-z0-9_.!~*'()&=+$,;?/%-]{1,100}`;
const HOST = String.raw`([A-Za-z0-9._-]{1,200}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?`;
const SIP_URI = new RegExp(
  String.raw`^(sips:${SIP_USER}@${HOST}|sip:${SIP_USER}@${HOST}(;transport=(udp|tcp|tls))?)$`,
);

const uri = z
  .string()
  .max(400)
  .regex(SIP_URI, 'is sip:user@host[:port][;transport=udp|tcp|tls] or sips:…; PSTN is not allowed');

const srtp = z
  .enum(ENDPOINT_SRTP)
  .describe('Encrypted audio: `preferred` calls again in plain RTP where the endpoint says 488.');

const target = z.strictObject({
  uri,
  priority: z.int().min(0).max(65_535).default(0).describe('Lower ones are called first.'),
  weight: z.int().min(0).max(65_535).default(1).describe('Share among equal priorities.'),
  username: credential(100).optional(),
  password: oneLine(200).optional(),
  srtp: srtp.optional().describe("Else as the endpoint's `srtp`."),
});

const failover = z.strictObject({
  on: z
    .array(z.enum(FAILOVER_CAUSES))
    .max(FAILOVER_CAUSES.length)
    .default([...DEFAULT_OPTIONS.failover.on])
    .describe(
      'What sends a call to the next target: no_answer (408, 480), server_error (5xx), ' +
        'unreachable (503, no way to send), and only where set busy (486, 600), declined (603).',
    ),
  maxTargets: z.int().min(1).max(TARGETS_MAX).default(DEFAULT_OPTIONS.failover.maxTargets),
  withinMs: z
    .int()
    .min(1_000)
    .max(75_000)
    .default(DEFAULT_OPTIONS.failover.withinMs)
    .describe('No further target is tried later than this after the first INVITE.'),
});

const nobody = z.strictObject({
  action: z.enum(NOBODY_ACTIONS).default('end'),
  prompt: z
    .string()
    .max(100)
    .nullable()
    .default(null)
    .describe('Name of a prompt, instead of beeps (announce_and_end) or the music of the queue.'),
  say: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('Words instead of a prompt, where the server can speak; else beeps or music.'),
  language: languageTag.optional().describe('Of `say`; default: en.'),
  scriptId: z.string().max(100).nullable().default(null).describe('The script of `script`.'),
  maxMs: z
    .int()
    .min(5_000)
    .max(600_000)
    .default(DEFAULT_OPTIONS.whenNobody.maxMs)
    .describe('How long at most, from the moment that nobody was there.'),
});

const agents = z.strictObject({
  group: z.string().regex(GROUP_SHAPE, 'is 1 to 40 of a-z, 0-9 and -'),
  ringMs: z
    .int()
    .min(3_000)
    .max(60_000)
    .default(15_000)
    .describe("How long one agent's browser rings before the next one's does."),
  wrapUpMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(30_000)
    .describe('The pause of an agent after a call.'),
  returnMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(DEFAULT_RETURN_MS)
    .describe(
      'How long a customer hears music while the page of their agent is loaded again, before ' +
        '`whenNobody` decides; 0: not at all.',
    ),
});

const cap = z.int().min(1).max(1_000_000).nullable().default(null);

export const endpointBody = z.strictObject({
  name: oneLine(100),
  uri: uri.optional().describe('The one address; or give `targets`.'),
  username: credential(100).optional(),
  password: oneLine(200).optional(),
  targets: z
    .array(target)
    .min(1)
    .max(TARGETS_MAX)
    .optional()
    .describe('Several addresses, instead of `uri`, `username` and `password`.'),
  agents: agents
    .optional()
    .describe('People in their browsers, instead of `uri` and `targets`; see POST /v1/agents.'),
  codecs: z
    .array(z.enum(['opus', 'PCMU', 'PCMA']))
    .min(1)
    .max(3)
    .default(['opus', 'PCMU', 'PCMA'])
    .describe('In order of preference; Opus first saves the transcoding.'),
  strategy: strategySchema.default('on_answer'),
  ringTimeoutMs: z
    .int()
    .min(2_000)
    .max(120_000)
    .default(30_000)
    .describe('Of each target; of all agents together.'),
  srtp: srtp.default('off'),
  meanwhile: z
    .enum(ENDPOINT_MEANWHILE)
    .default('ringing')
    .describe('What the customer hears after picking up, until the endpoint has answered.'),
  failover: failover.default(DEFAULT_OPTIONS.failover as z.infer<typeof failover>),
  callerId: z
    .enum(CALLER_IDS)
    .default(DEFAULT_OPTIONS.callerId)
    .describe("Who From says is calling: the customer's number, or the contact's id."),
  userToUser: z
    .enum(USER_TO_USER)
    .default(DEFAULT_OPTIONS.userToUser)
    .describe('What User-to-User (RFC 7433) carries; `reference` without one is the call id.'),
  healthCheck: z
    .enum(['options', 'off'])
    .default(DEFAULT_OPTIONS.healthCheck)
    .describe('Whether SIP OPTIONS asks the targets how they are.'),
  register: z
    .boolean()
    .default(DEFAULT_OPTIONS.register)
    .describe('Whether gateways register there (REGISTER), as the user name of each target.'),
  whenNobody: nobody
    .default(DEFAULT_OPTIONS.whenNobody)
    .describe('When the customer has picked up and no target answers.'),
  maxCalls: cap.describe('Calls at a time; null is without end.'),
  minutesPerDay: cap.describe('Minutes of talk in a day (UTC); null is without end.'),
});

export type EndpointBody = z.infer<typeof endpointBody>;

const targetView = z.object({
  uri: z.string(),
  priority: z.number(),
  weight: z.number(),
  username: z.string().nullable(),
  srtp: z.enum(ENDPOINT_SRTP),
});

/** As `EndpointView` of `api-types.ts`. */
export const endpointSchema = z.object({
  id: z.string(),
  name: z.string(),
  uri: z.string().describe("The first target's."),
  targets: z.array(targetView),
  codecs: z.array(z.string()),
  strategy: strategySchema,
  ringTimeoutMs: z.number(),
  srtp: z.enum(ENDPOINT_SRTP).describe("The first target's."),
  meanwhile: z.enum(ENDPOINT_MEANWHILE),
  failover: z.object({
    on: z.array(z.enum(FAILOVER_CAUSES)),
    maxTargets: z.number(),
    withinMs: z.number(),
  }),
  callerId: z.enum(CALLER_IDS),
  userToUser: z.enum(USER_TO_USER),
  healthCheck: z.enum(['options', 'off']),
  register: z.boolean(),
  health: z
    .enum(['up', 'degraded', 'down', 'unknown'])
    .describe('As SIP OPTIONS found its targets last; degraded: some of them are down.'),
  whenNobody: z.object({
    action: z.enum(NOBODY_ACTIONS),
    prompt: z.string().nullable(),
    say: z.string().optional(),
    language: z.string().optional(),
    scriptId: z.string().nullable(),
    maxMs: z.number(),
  }),
  agents: agents.nullable(),
  maxCalls: z.number().nullable(),
  minutesPerDay: z.number().nullable(),
}) satisfies z.ZodType<EndpointView>;
