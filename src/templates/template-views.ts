import { z } from 'zod';
import { isoTime } from '../platform/clock.ts';
import { lintTemplate } from './template-lint.ts';
import { draftOf } from './template-life.ts';
import type { TemplateVersion, VersionedTemplate } from './template-store.ts';
import { TEMPLATE_STATUSES } from './template.ts';

/** How templates leave the house. */
export const findingSchema = z.object({
  rule: z.string(),
  severity: z
    .enum(['error', 'warning', 'hint'])
    .describe('error: Meta would refuse it. warning: it costs consents. hint: good to know.'),
  where: z.string().describe('The part at fault, such as body, samples[0] or buttons[1].'),
  message: z.string(),
  fix: z.string().describe('What to change.'),
  source: z.string().describe('Who says so.'),
});

export const buttonSchema = z.object({
  kind: z.enum(['quick_reply', 'call']).describe('call: the customer calls you.'),
  text: z.string(),
  means: z.enum(['yes', 'no', 'other']).optional().describe('Of a quick reply.'),
});

const contentShape = {
  category: z.enum(['UTILITY', 'MARKETING']),
  header: z.string().nullable(),
  body: z.string().describe('{{1}}, {{2}} … stand for the variables.'),
  footer: z.string().nullable(),
  samples: z.array(z.string()).describe('One for each variable.'),
  buttons: z.array(buttonSchema),
  nativePermissionRequest: z.boolean().describe("With WhatsApp's own Allow and Not now."),
};

export const templateSchema = z.object({
  id: z.string(),
  wabaId: z.string(),
  name: z.string(),
  language: z.string(),
  ...contentShape,
  version: z.number().describe('Of the newest content.'),
  metaVersion: z.number().nullable().describe('The version customers see; null while a draft.'),
  metaId: z.string().nullable(),
  status: z.enum(TEMPLATE_STATUSES).describe('Of the version Meta holds.'),
  sendable: z.boolean(),
  reason: z.string().nullable().describe('Why Meta rejected, paused or disabled it.'),
  advice: z.string().nullable(),
  quality: z.string().nullable().describe('GREEN, YELLOW or RED; null while not rated.'),
  comingCategory: z.string().nullable().describe('What Meta will make it within a day.'),
  origin: z.enum(['built_in', 'own', 'meta']),
  statusAt: z.string(),
  createdAt: z.string(),
  findings: z.array(findingSchema).describe('What the linter says of the newest content.'),
});

export const versionSchema = z.object({
  version: z.number(),
  ...contentShape,
  actor: z.string(),
  createdAt: z.string(),
});

const names = z.array(z.string());
export const usesSchema = z
  .object({ journeys: names, campaigns: names, experiments: names })
  .describe('Names; five of each kind at most.');

export function templateView(template: VersionedTemplate): z.infer<typeof templateSchema> {
  const { content, accountId: _account, deletedAt: _deleted, ...rest } = template;
  return {
    ...contentView(content),
    ...rest,
    sendable: template.status === 'approved',
    statusAt: isoTime(template.statusAt),
    createdAt: isoTime(template.createdAt),
    findings: lintTemplate(draftOf(template)).findings,
  };
}

export function versionView(version: TemplateVersion): z.infer<typeof versionSchema> {
  const { content, createdAt, ...rest } = version;
  return { ...contentView(content), ...rest, createdAt: isoTime(createdAt) };
}

function contentView({ samples, buttons, ...content }: VersionedTemplate['content']) {
  return { ...content, samples: [...samples], buttons: [...buttons] };
}
