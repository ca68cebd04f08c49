import type { Refused } from '../platform/refusal.ts';
import type { TemplateDraft } from '../whatsapp/whatsapp.ts';

/**
 * The message templates that ask for permission to call, ready to submit to Meta. All three are
 * UTILITY templates with Meta's native permission request part, whose buttons ("Allow calls",
 * "Not now") are WhatsApp's own: only an answer to these is Meta's permission.
 */
export type PermissionTemplate = TemplateDraft & { describes: string };

export const PERMISSION_TEMPLATES: readonly PermissionTemplate[] = [
  {
    name: 'call_permission_request',
    describes: 'A call about anything specific: {{1}} customer name, {{2}} purpose.',
    language: 'en_US',
    category: 'UTILITY',
    body:
      "Hello {{1}}, we'd like to call you via WhatsApp to discuss {{2}}. This will be a free " +
      'call over data/WiFi. Would you like to allow us to call you?',
    samples: ['Maria', 'your recent order'],
    nativePermissionRequest: true,
  },
  {
    name: 'appointment_callback_request',
    describes: 'A call to confirm an appointment: {{1}} customer name, {{2}} date, {{3}} time.',
    language: 'en_US',
    category: 'UTILITY',
    body:
      'Hi {{1}}, your appointment is scheduled for {{2}} at {{3}}. Would you like us to call ' +
      'you to confirm the details?',
    samples: ['Maria', 'January 15th', '2:00 PM'],
    nativePermissionRequest: true,
  },
  {
    name: 'support_callback_request',
    describes: 'A call back from support: {{1}} customer name, {{2}} issue.',
    language: 'en_US',
    category: 'UTILITY',
    body:
      'Hello {{1}}, we see you have a question about {{2}}. Our support team can call you on ' +
      'WhatsApp to help. Would you like a callback?',
    samples: ['Maria', 'account setup'],
    nativePermissionRequest: true,
  },
];

export const DEFAULT_TEMPLATE = 'call_permission_request';
const VARIABLE_MAX = 200;

/** The template of that name and language, or a refusal that lists what there is. */
export function findTemplate(name: string, language: string): PermissionTemplate | Refused {
  const found = PERMISSION_TEMPLATES.find(
    (template) => template.name === name && template.language === language,
  );
  if (found !== undefined) return found;
  const known = PERMISSION_TEMPLATES.map((template) => `${template.name} (${template.language})`);
  return {
    refused: {
      code: 'template_unknown',
      message: `There is no permission template "${name}" in "${language}".`,
      fix: `Use one of: ${known.join(', ')}.`,
    },
  };
}

/** The text as the customer will see it, or a refusal that names the wrong variable. */
export function renderTemplate(
  template: PermissionTemplate,
  variables: readonly string[],
): string | Refused {
  const wanted = template.samples.length;
  if (variables.length !== wanted) {
    return invalid(
      `Template ${template.name} takes ${wanted} variables and got ${variables.length}.`,
      template.describes,
    );
  }
  const index = variables.findIndex((text) => !isUsable(text));
  if (index >= 0) {
    return invalid(
      `Variable {{${index + 1}}} is empty, too long, or holds a line break or tab.`,
      `Give 1 to ${VARIABLE_MAX} characters on one line; Meta refuses anything else.`,
    );
  }
  return template.body.replace(
    /\{\{(\d+)\}\}/g,
    (_, digits: string) => variables[Number(digits) - 1] ?? '',
  );
}

/** Meta refuses variables with new lines, tabs or more than four spaces in a row (132018). */
function isUsable(text: string): boolean {
  const { length } = text.trim();
  return length > 0 && length <= VARIABLE_MAX && !/[\r\n\t]| {5}/.test(text);
}

function invalid(message: string, fix: string): Refused {
  return { refused: { code: 'template_variables_invalid', message, fix } };
}
