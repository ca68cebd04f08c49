import type { LintFinding } from './template-lint.ts';
import { quickReplies, VARIABLE_MAX, variablesOf, type TemplateDraft } from './template.ts';
import { PROMOTION } from './template-words.ts';

/**
 * What Meta refuses at once or rejects in its review: the rules of its template pages, with the
 * numbers of the errors where they are known.
 */
const NAME_MAX = 512;
const BODY_MAX = 1024;
const HEADER_MAX = 60;
const FOOTER_MAX = 60;
const BUTTON_MAX = 25;
/** Of a call button: the page about call buttons gives it less room. */
const CALL_BUTTON_MAX = 20;
const BUTTONS_MAX = 10;
/** A template with fewer words than this for each variable is mostly variables (2388293). */
const WORDS_PER_VARIABLE = 3;

const COMPONENTS = 'Meta, template components';
const REVIEW = 'Meta, template review: common rejection reasons';

export function shapeFindings(draft: TemplateDraft): LintFinding[] {
  return [
    ...namingFindings(draft),
    ...bodyFindings(draft),
    ...variableFindings(draft.body),
    ...sampleFindings(draft),
    ...extraFindings(draft),
    ...buttonFindings(draft),
    ...categoryFindings(draft),
  ];
}

function error(
  rule: string,
  where: string,
  message: string,
  fix: string,
  source: string,
): LintFinding {
  return { rule, severity: 'error', where, message, fix, source };
}

function namingFindings({ name, language }: TemplateDraft): LintFinding[] {
  const findings: LintFinding[] = [];
  if (!/^[a-z0-9_]+$/.test(name) || name.length > NAME_MAX) {
    const fix = 'Use 1 to 512 lower-case letters, digits and underscores, such as call_back_offer.';
    findings.push(error('name_form', 'name', 'Meta takes no such name.', fix, COMPONENTS));
  }
  if (!/^[a-z]{2,3}(_[A-Z]{2})?$/.test(language)) {
    const fix = 'Write it as Meta does: en_US, pt_BR, de, ar.';
    findings.push(error('language_code', 'language', 'This is no language code.', fix, COMPONENTS));
  }
  return findings;
}

function bodyFindings({ body }: TemplateDraft): LintFinding[] {
  const say = (rule: string, message: string, fix: string, source = COMPONENTS): LintFinding =>
    error(rule, 'body', message, fix, source);
  if (body.trim() === '') return [say('body_missing', 'There is no text.', 'Write the message.')];
  const findings: LintFinding[] = [];
  const { length } = body;
  if (length > BODY_MAX) {
    findings.push(
      say(
        'body_too_long',
        `The text has ${length} characters.`,
        `Cut it to ${BODY_MAX} (2388040).`,
      ),
    );
  }
  if (/\t/.test(body)) {
    findings.push(say('body_tabs', 'The text holds a tab.', 'Write a space instead.'));
  }
  if (/ {5}/.test(body)) {
    findings.push(say('body_spaces', 'There are five spaces in a row.', 'Leave four at most.'));
  }
  if (/\n{3}/.test(body)) {
    const fix = 'Leave one empty line at most.';
    findings.push(say('body_empty_lines', 'There are two empty lines in a row.', fix));
  }
  // Control characters, and marks that turn the direction of text, hide what a reader sees.
  if (/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u.test(body)) {
    const fix = 'Take out control characters and direction marks; WhatsApp sets the direction.';
    findings.push(say('body_characters', 'The text holds characters nobody sees.', fix));
  }
  return findings;
}

function variableFindings(body: string): LintFinding[] {
  const say = (rule: string, message: string, fix: string): LintFinding =>
    error(rule, 'body', message, fix, REVIEW);
  const findings: LintFinding[] = [];
  const text = body.trim();
  const odd = text.match(/\{\{(?!\d+\}\})[^{}]*\}\}|\{\{\{|\}\}\}/);
  if (odd !== null) {
    const fix = 'Write variables as {{1}}, {{2}} … with two braces and a number.';
    findings.push(say('variable_form', `"${odd[0]}" is no variable.`, fix));
  }
  // Only a mark of punctuation around it does not make a variable stand inside a sentence.
  if (/^[^\p{L}\p{N}{]*\{\{\d+\}\}/u.test(text)) {
    const fix = 'Begin with a word, such as "Hello {{1}}" (2388299).';
    findings.push(say('variable_at_start', 'The text begins with a variable.', fix));
  }
  if (/\{\{\d+\}\}[^\p{L}\p{N}}]*$/u.test(text)) {
    const fix = 'Add words behind the last variable (2388299).';
    findings.push(say('variable_at_end', 'The text ends with a variable.', fix));
  }
  if (/\}\}\s*\{\{/.test(text)) {
    const fix = 'Put words between them, or make them one.';
    findings.push(say('variables_adjacent', 'Two variables stand side by side.', fix));
  }
  const numbers = variablesOf(text);
  if (numbers.some((number, index) => number !== index + 1)) {
    const fix = 'Number them {{1}}, {{2}} … in order and without a gap (2388073).';
    const found = numbers.map((number) => `{{${number}}}`).join(', ');
    findings.push(say('variable_gap', `The variables are ${found}.`, fix));
  }
  const words = text.replaceAll(/\{\{\d+\}\}/g, ' ').match(/[\p{L}\p{M}\p{N}]+/gu)?.length ?? 0;
  if (words < numbers.length * WORDS_PER_VARIABLE) {
    const message = `${numbers.length} variables in ${words} words.`;
    findings.push(
      say('too_many_variables', message, 'Write more text, or use fewer variables (2388293).'),
    );
  }
  return findings;
}

function sampleFindings({ body, samples }: TemplateDraft): LintFinding[] {
  const wanted = variablesOf(body).length;
  if (samples.length !== wanted) {
    const message = `${wanted} variables, ${samples.length} samples.`;
    const fix = 'Give one sample for each variable, as a customer would read it (2388043).';
    return [error('samples_missing', 'samples', message, fix, COMPONENTS)];
  }
  return samples.flatMap((sample, index) => {
    const where = `samples[${index}]`;
    const say = (rule: string, message: string, fix: string): LintFinding =>
      error(rule, where, message, fix, COMPONENTS);
    if (sample.trim() === '') return [say('sample_empty', 'The sample is empty.', 'Fill it in.')];
    if (/[\r\n\t]| {5}/.test(sample)) {
      const fix = 'Keep it on one line, without tabs or five spaces in a row (132018).';
      return [say('sample_line_break', 'The sample holds a line break or a tab.', fix)];
    }
    if (sample.length > VARIABLE_MAX) {
      return [say('sample_too_long', 'The sample is too long.', `Cut it to ${VARIABLE_MAX}.`)];
    }
    return /\{\{/.test(sample)
      ? [say('sample_variable', 'The sample holds a variable.', 'Write a real value.')]
      : [];
  });
}

function extraFindings({ header, footer }: TemplateDraft): LintFinding[] {
  const findings: LintFinding[] = [];
  const check = (where: 'header' | 'footer', text: string | null, max: number): void => {
    if (text === null) return;
    if (text.length > max || text.trim() === '') {
      const message = `The ${where} has ${text.length} characters.`;
      findings.push(error(`${where}_length`, where, message, `Write 1 to ${max}.`, COMPONENTS));
    }
    if (/\{\{/.test(text)) {
      const fix = 'Move the variable into the body; here a header is filled by nobody.';
      findings.push(error(`${where}_variable`, where, 'It holds a variable.', fix, COMPONENTS));
    }
    if (/[\n*_~`]|\p{Extended_Pictographic}/u.test(text)) {
      const fix = 'Take out line breaks, formatting marks and emoji.';
      findings.push(error(`${where}_characters`, where, 'Meta refuses these.', fix, COMPONENTS));
    }
  };
  check('header', header, HEADER_MAX);
  check('footer', footer, FOOTER_MAX);
  return findings;
}

function buttonFindings(draft: TemplateDraft): LintFinding[] {
  const { buttons, nativePermissionRequest } = draft;
  const findings: LintFinding[] = [];
  const say = (rule: string, where: string, message: string, fix: string): void =>
    void findings.push(error(rule, where, message, fix, COMPONENTS));
  if (nativePermissionRequest && buttons.length > 0) {
    const fix = "Choose: Meta's own Allow and Not now, or buttons of yours.";
    say('buttons_excluded', 'buttons', 'The native request takes no other buttons.', fix);
  }
  if (buttons.length > BUTTONS_MAX) {
    say('too_many_buttons', 'buttons', `${buttons.length} buttons.`, `Keep ${BUTTONS_MAX}.`);
  }
  if (buttons.filter(({ kind }) => kind === 'call').length > 1) {
    say('call_buttons', 'buttons', 'There are two call buttons.', 'Keep one.');
  }
  const texts = quickReplies(draft).map(({ text }) => text.trim().toLowerCase());
  for (const [index, { kind, text }] of buttons.entries()) {
    const where = `buttons[${index}]`;
    const max = kind === 'call' ? CALL_BUTTON_MAX : BUTTON_MAX;
    if (text.trim() === '' || text.length > max) {
      say('button_length', where, `The text has ${text.length} characters.`, `Write 1 to ${max}.`);
    }
    if (/[\n\t]|\{\{|\p{Extended_Pictographic}/u.test(text)) {
      const fix = 'Take out line breaks, variables and emoji.';
      say('button_characters', where, 'Meta refuses these in a button.', fix);
    }
    if (
      kind === 'quick_reply' &&
      texts.indexOf(text.trim().toLowerCase()) < index - callsBefore(draft, index)
    ) {
      say('buttons_alike', where, 'Two buttons say the same.', 'Word them differently.');
    }
  }
  return findings;
}

function callsBefore({ buttons }: TemplateDraft, index: number): number {
  return buttons.slice(0, index).filter(({ kind }) => kind === 'call').length;
}

/** The review compares the words with the category (INCORRECT_CATEGORY, TAG_CONTENT_MISMATCH). */
function categoryFindings({ category, header, body, footer }: TemplateDraft): LintFinding[] {
  if (category !== 'UTILITY') return [];
  const sales = PROMOTION.exec([header, body, footer].join('\n'));
  if (sales === null) return [];
  const fix = 'Take the sales talk out, or submit it as MARKETING.';
  const message = `"${sales[0]}" is sales talk, and UTILITY takes none.`;
  return [error('category_mismatch', 'category', message, fix, REVIEW)];
}
