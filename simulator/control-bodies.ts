import { z } from 'zod';
import type {
  FaultDraft,
  LineDraft,
  PersonAction,
  PersonDraft,
  TemplateDecision,
} from './control-types.ts';
import { ControlFailure } from './control-failure.ts';
import { FAULTS } from './faults.ts';

/** The bodies of the control API, checked. */
const number = z.string().regex(/^\+[1-9]\d{6,14}$/, 'must be E.164, like +447700900001');
const lineId = z.string().min(1).optional();
const messageId = z.string().min(1).optional();

const action = z.discriminatedUnion('action', [
  z.object({ action: z.enum(['allow', 'allow_always', 'not_now']), messageId }),
  z.object({ action: z.literal('tap'), text: z.string().min(1), messageId }),
  z.object({ action: z.enum(['answer', 'decline', 'hang_up', 'lose_media', 'resume_media']) }),
  z.object({ action: z.literal('change_number'), newNumber: number }),
  z.object({ action: z.literal('change_user_id') }),
  z.object({ action: z.literal('digits'), digits: z.string() }),
  z.object({
    action: z.literal('write'),
    text: z.string().min(1).max(4096),
    phoneNumberId: lineId,
  }),
  z.object({
    action: z.enum(['revoke', 'allow_in_profile', 'call_business']),
    phoneNumberId: lineId,
  }),
]);

const faultKinds = Object.keys(FAULTS) as [keyof typeof FAULTS, ...Array<keyof typeof FAULTS>];
const fault = z.object({
  kind: z.enum(faultKinds),
  times: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).optional(),
  delayMs: z.int().min(0).max(3_600_000).optional(),
  on: z.string().min(1).optional(),
});

const person = z.object({
  number,
  name: z.string().min(1).max(100).optional(),
  username: z.string().min(1).max(60).optional(),
  hidesNumber: z.boolean().optional(),
  like: number.optional(),
});

const line = z.object({
  phoneNumberId: z.string().regex(/^\d+$/).optional(),
  wabaId: z.string().regex(/^\d+$/).optional(),
  displayNumber: number,
  businessName: z.string().min(1).max(100),
  callingEnabled: z.boolean().optional(),
  accessToken: z.string().min(1).optional(),
});

const decision = z.strictObject({
  status: z.enum(['PENDING', 'APPROVED', 'REJECTED', 'PAUSED', 'DISABLED']).optional(),
  reason: z.string().max(200).optional(),
  quality: z.enum(['GREEN', 'YELLOW', 'RED', 'UNKNOWN']).optional(),
  category: z.enum(['UTILITY', 'MARKETING']).optional(),
  comingCategory: z.enum(['UTILITY', 'MARKETING']).optional(),
});

const webhook = z.object({ url: z.url(), verifyToken: z.string() });
const phone = z.object({ type: z.literal('offer').optional(), sdp: z.string().min(1) });

export const readAction = (body: unknown): PersonAction => read(action, body) as PersonAction;
export const readFault = (body: unknown): FaultDraft => read(fault, body) as FaultDraft;
export const readPerson = (body: unknown): PersonDraft => read(person, body) as PersonDraft;
export const readLine = (body: unknown): LineDraft => read(line, body) as LineDraft;
export const readDecision = (body: unknown): TemplateDecision =>
  read(decision, body) as TemplateDecision;
export const readWebhook = (body: unknown): z.infer<typeof webhook> => read(webhook, body);
export const readPhone = (body: unknown): z.infer<typeof phone> => read(phone, body);

function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw new ControlFailure(
    400,
    'bad_body',
    z.prettifyError(parsed.error).replaceAll('\n', ' '),
    'The fields are described in docs/reference/simulator.md.',
  );
}
