import builtIns from './built-in.json' with { type: 'json' };
import type { Refused } from '../platform/refusal.ts';

/**
 * The message templates by which customers are asked: their content, their life at Meta, and the
 * text a customer sees. A template belongs to a WhatsApp Business account (WABA); its content is
 * versioned, so that evidence can show the exact words of any request for ever.
 */
export const TEMPLATE_STATUSES = [
  'draft',
  'submitted',
  'pending',
  'approved',
  'rejected',
  'paused',
  'disabled',
] as const;

/**
 * What Meta makes of the version it holds. `draft`: Meta has none; `submitted`: handed over, and
 * the answer is not known yet; `disabled` also stands for deleted or locked at Meta.
 */
export type TemplateStatus = (typeof TEMPLATE_STATUSES)[number];

export type TemplateCategory = 'UTILITY' | 'MARKETING';

/** What a tap on a quick reply says about calls; `other` says nothing. */
export type ReplyMeaning = 'yes' | 'no' | 'other';

export type TemplateButton =
  | { kind: 'quick_reply'; text: string; means: ReplyMeaning }
  /** Meta's VOICE_CALL button: the customer calls the business. */
  | { kind: 'call'; text: string };

export type TemplateContent = {
  category: TemplateCategory;
  header: string | null;
  /** `{{1}}`, `{{2}}` … stand for the variables. */
  body: string;
  footer: string | null;
  /** One for each variable of the body, in order; Meta's reviewers read them. */
  samples: readonly string[];
  buttons: readonly TemplateButton[];
  /** Meta's own permission request, whose buttons are WhatsApp's; it excludes other buttons. */
  nativePermissionRequest: boolean;
};

/** A template as somebody writes it, before any account has it. */
export type TemplateDraft = { name: string; language: string } & TemplateContent;

type Wording = { name: string; body: string; samples: string[]; yes: string; no: string };

/** Sales talk is MARKETING, as the page says; everything else here is about a matter at hand. */
const MARKETING = new Set(['sales_callback_request']);

/** Names of the form with quick replies end so: Meta keeps one content for name and language. */
export const QUICK_REPLY_SUFFIX = '_quick_reply';

export const DEFAULT_TEMPLATE = 'call_permission_request';
export const DEFAULT_LANGUAGE = 'en_US';

/**
 * The templates that come with the product: the page's three, delivery and sales, each in eight
 * languages and two forms. Only the native form can give Meta's permission at once; the form with
 * quick replies is the page's, and its yes is followed by the native request. A sixth one asks
 * nothing: it invites the customer to call.
 */
export const BUILT_IN_TEMPLATES: readonly TemplateDraft[] = builtIns.flatMap(
  ({ language, templates, invitation }) => [
    ...templates.flatMap((wording) => bothForms(language, wording)),
    invitationTo(language, invitation),
  ],
);

/** For where the business may not call: the customer is given a button to call. */
function invitationTo(
  language: string,
  { name, body, samples, call }: (typeof builtIns)[number]['invitation'],
): TemplateDraft {
  return {
    name,
    language,
    category: 'UTILITY',
    header: null,
    body,
    footer: null,
    samples,
    buttons: [{ kind: 'call', text: call }],
    nativePermissionRequest: false,
  };
}

function bothForms(language: string, wording: Wording): TemplateDraft[] {
  const { name, body, samples, yes, no } = wording;
  const category = MARKETING.has(name) ? 'MARKETING' : 'UTILITY';
  const text = { language, category, header: null, body, footer: null, samples } as const;
  const buttons: TemplateButton[] = [
    { kind: 'quick_reply', text: yes, means: 'yes' },
    { kind: 'quick_reply', text: no, means: 'no' },
  ];
  const quick = `${name}${QUICK_REPLY_SUFFIX}`;
  return [
    { name, ...text, buttons: [], nativePermissionRequest: true },
    { name: quick, ...text, buttons, nativePermissionRequest: false },
  ];
}

/** Whether an answer to this template can be a yes or a no to a call. */
export function asksForPermission(content: TemplateContent): boolean {
  return content.nativePermissionRequest || quickReplies(content).some(isYes);
}

export type QuickReply = Extract<TemplateButton, { kind: 'quick_reply' }>;

export function quickReplies({ buttons }: Pick<TemplateContent, 'buttons'>): QuickReply[] {
  return buttons.filter((button) => button.kind === 'quick_reply');
}

function isYes({ means }: QuickReply): boolean {
  return means === 'yes';
}

export function callButton({ buttons }: Pick<TemplateContent, 'buttons'>): string | null {
  return buttons.find(({ kind }) => kind === 'call')?.text ?? null;
}

/** The numbers of the variables in a text, ascending, each once. */
export function variablesOf(text: string): number[] {
  const numbers = [...text.matchAll(/\{\{(\d+)\}\}/g)].map((match) => Number(match[1]));
  return [...new Set(numbers)].toSorted((a, b) => a - b);
}

/** Meta refuses longer values; the whole filled text may have 1024 characters (132005). */
export const VARIABLE_MAX = 200;

/** The text as the customer will see it, or a refusal that names the wrong variable. */
export function renderTemplate(
  template: Pick<TemplateDraft, 'name' | 'body' | 'samples'>,
  variables: readonly string[],
): string | Refused {
  const wanted = variablesOf(template.body).length;
  if (variables.length !== wanted) {
    return invalid(
      `Template ${template.name} takes ${wanted} variables and got ${variables.length}.`,
      `Its variables are, for example: ${template.samples.join(' · ')}.`,
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
