import { z } from 'zod';
import { meaningOfReply } from './quick-reply.ts';
import type { TemplateButton, TemplateContent, TemplateDraft } from './template.ts';

/**
 * Templates as people write them, in the API and in files for the linter. Only the shape is
 * checked here; what Meta or a customer would say of it is the linter's.
 */
const buttonInput = z.strictObject({
  kind: z.enum(['quick_reply', 'call']).default('quick_reply'),
  text: z.string().max(100),
  means: z
    .enum(['yes', 'no', 'other'])
    .optional()
    .describe('Of a quick reply; read from its text when left out.'),
});

const contentInput = {
  category: z.enum(['UTILITY', 'MARKETING']),
  header: z.string().max(200).nullable(),
  body: z.string().max(5_000).describe('{{1}}, {{2}} … stand for the variables.'),
  footer: z.string().max(200).nullable(),
  samples: z.array(z.string().max(1_000)).max(50).describe('One for each variable.'),
  buttons: z.array(buttonInput).max(20),
  nativePermissionRequest: z.boolean().describe("With WhatsApp's own Allow and Not now."),
};

export const draftInput = z.strictObject({
  name: z.string().max(600).describe('Lower-case letters, digits and underscores.'),
  language: z.string().max(20).describe('As Meta writes it: en_US, pt_BR, de, ar.'),
  category: contentInput.category.default('UTILITY'),
  header: contentInput.header.default(null),
  body: contentInput.body,
  footer: contentInput.footer.default(null),
  samples: contentInput.samples.default([]),
  buttons: contentInput.buttons.default([]),
  nativePermissionRequest: contentInput.nativePermissionRequest.default(false),
});

export const changeInput = z.strictObject(contentInput).partial();

export function draftFromInput(input: z.infer<typeof draftInput>): TemplateDraft {
  return { ...input, buttons: input.buttons.map(buttonFromInput) };
}

export function changeFromInput(input: z.infer<typeof changeInput>): Partial<TemplateContent> {
  const { buttons, ...rest } = input;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(given),
    ...(buttons === undefined ? {} : { buttons: buttons.map(buttonFromInput) }),
  };
}

function buttonFromInput({ kind, text, means }: z.infer<typeof buttonInput>): TemplateButton {
  if (kind === 'call') return { kind, text };
  return { kind, text, means: means ?? meaningOfReply(text) };
}
