import { readOptOut } from '../consent/opt-out.ts';
import type { LintFinding } from './template-lint.ts';
import { asksForPermission, quickReplies, variablesOf, type TemplateDraft } from './template.ts';
import { CALL, FREE_CALL, VAGUE, WHATSAPP } from './template-words.ts';

/**
 * The guidelines of the product page for permission templates: concise and clear about why, a
 * WhatsApp call that is free, context, Allow and Decline, UTILITY or MARKETING by its matter.
 */
const GUIDELINES = 'Product page, template guidelines';
const PRACTICES = 'Product page, best practices';
/** Beyond this a phone shows "read more" before the question. */
const CONCISE_CHARACTERS = 550;
const WORDS_WITHOUT_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Thai}]/u;

export function guidelineFindings(draft: TemplateDraft): LintFinding[] {
  // A template with a call button asks nothing: the customer calls by themselves.
  if (draft.buttons.some(({ kind }) => kind === 'call')) return [];
  return [
    ...askingFindings(draft),
    ...wordingFindings(draft),
    ...decliningFindings(draft),
    ...categoryHints(draft),
  ];
}

function askingFindings(draft: TemplateDraft): LintFinding[] {
  const findings: LintFinding[] = [];
  if (!asksForPermission(draft)) {
    findings.push({
      rule: 'no_allow_option',
      severity: 'error',
      where: 'buttons',
      message: 'Nobody can say yes to this template.',
      fix: 'Set nativePermissionRequest, or add a quick reply that means yes ("Allow calls").',
      source: GUIDELINES,
    });
  } else if (!draft.nativePermissionRequest) {
    findings.push({
      rule: 'quick_reply_needs_native',
      severity: 'hint',
      where: 'buttons',
      message: "A quick reply is the customer's word to you; Meta connects calls only on its own.",
      fix: 'Nothing to do: the native request follows the yes. The native form saves one tap.',
      source: 'Meta, user call permissions',
    });
  }
  return findings;
}

function wordingFindings({ header, body, footer, samples }: TemplateDraft): LintFinding[] {
  const text = [header, body, footer].join('\n');
  const findings: LintFinding[] = [];
  const warn = (rule: string, message: string, fix: string, source = GUIDELINES): void =>
    void findings.push({ rule, severity: 'warning', where: 'body', message, fix, source });
  if (body.length > CONCISE_CHARACTERS) {
    warn('not_concise', `The text has ${body.length} characters.`, 'Say why, and ask; no more.');
  }
  if (!CALL.test(text)) {
    warn('no_call_mentioned', 'The text does not speak of a call.', 'Say that you want to call.');
  }
  if (!WHATSAPP.test(text)) {
    const fix = 'Say that it is a WhatsApp call.';
    warn('no_whatsapp_mentioned', 'The text does not say that WhatsApp will ring.', fix);
  }
  if (!FREE_CALL.test(text)) {
    const fix = 'Add that the call is free, over data or WiFi.';
    warn('no_free_mentioned', 'The text does not say that the call costs nothing.', fix);
  }
  // One variable is the name; the reason is either written out or a variable of its own.
  if (variablesOf(body).length < 2 && wordCount(body) < 15) {
    const fix = 'Say what the call will cover, or add a variable for it.';
    warn('no_context', 'The text gives no reason for the call.', fix);
  }
  const vague = VAGUE.exec([text, ...samples].join('\n'));
  if (vague !== null) {
    const fix = 'Name one purpose: permission for "future calls" is a bad practice.';
    warn('vague_purpose', `"${vague[0]}" is no purpose.`, fix, PRACTICES);
  }
  return findings;
}

function wordCount(text: string): number {
  if (WORDS_WITHOUT_SPACES.test(text)) return Math.ceil(text.length / 2);
  return text.match(/[\p{L}\p{M}\p{N}]+/gu)?.length ?? 0;
}

function decliningFindings(draft: TemplateDraft): LintFinding[] {
  if (draft.nativePermissionRequest) return [];
  const replies = quickReplies(draft);
  const findings: LintFinding[] = [];
  const stops = replies.some(({ text }) => readOptOut(text) === 'exact');
  if (!stops && !replies.some(({ means }) => means === 'no')) {
    findings.push({
      rule: 'no_decline_option',
      severity: 'error',
      where: 'buttons',
      message: 'Nobody can say no to this template.',
      fix: 'Add a quick reply that means no ("Not now").',
      source: GUIDELINES,
    });
  }
  for (const { text, means } of replies) {
    if (means !== 'other' || readOptOut(text) !== null) continue;
    findings.push({
      rule: 'button_meaning_unknown',
      severity: 'warning',
      where: `buttons[${draft.buttons.findIndex((button) => button.text === text)}]`,
      message: `It is not clear whether "${text}" means yes or no.`,
      fix: 'Set means to yes, no or other.',
      source: GUIDELINES,
    });
  }
  return findings;
}

function categoryHints({ category }: TemplateDraft): LintFinding[] {
  if (category !== 'MARKETING') return [];
  return [
    {
      rule: 'marketing_needs_window',
      severity: 'hint',
      where: 'category',
      message: 'MARKETING requests go only to customers who wrote within the last 24 hours.',
      fix: 'Use UTILITY for a call about a matter at hand, such as an appointment or support.',
      source: GUIDELINES,
    },
  ];
}
