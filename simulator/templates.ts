import { GraphError } from './graph-error.ts';
import { newObjectId } from './meta-ids.ts';
import type { TemplateDecision } from './control-types.ts';
import type { Simulation, Template, TemplateComponent } from './simulation.ts';
import { BUILT_IN_TEMPLATES } from '../src/templates/template.ts';
import { sendTemplateCategory, sendTemplateQuality, sendTemplateStatus } from './webhook-values.ts';

/**
 * Message templates: taken as PENDING, decided after a while, told by webhook. Shape errors are
 * refused at once with Meta's subcodes; what a reviewer would find leads to REJECTED.
 */
export function createTemplate(sim: Simulation, wabaId: string, body: unknown): Template {
  const draft = readDraft(body);
  const key = templateKey(wabaId, draft.name, draft.language);
  if (sim.templates.has(key)) {
    throw new GraphError(100, 'Content in this language already exists', { subcode: 2388024 });
  }
  const template: Template = {
    ...draft,
    id: newObjectId(sim.random),
    wabaId,
    status: 'PENDING',
    quality: 'UNKNOWN',
    rejectedReason: 'NONE',
  };
  sim.templates.set(key, template);
  sim.clock.after(sim.settings.templateReviewMs, () => review(sim, template));
  sim.changed();
  return template;
}

/** New content for a template that was decided; it goes through the review again. */
export function editTemplate(sim: Simulation, id: string, body: unknown): void {
  const template = templateById(sim, id);
  if (template.status === 'PENDING') {
    throw new GraphError(100, 'This template is in review and cannot be edited');
  }
  const { name, language, category } = template;
  const draft = readDraft({ name, language, category, ...record(body) });
  Object.assign(template, { ...draft, status: 'PENDING', rejectedReason: 'NONE' });
  sim.clock.after(sim.settings.templateReviewMs, () => review(sim, template));
  sim.changed();
}

/** By name all languages go, by `hsm_id` just that one. */
export function deleteTemplate(sim: Simulation, wabaId: string, query: unknown): void {
  const { name, hsm_id: id } = record(query);
  const found = listTemplates(sim, wabaId).filter(
    (template) => template.name === name && (id === undefined || template.id === id),
  );
  if (found.length === 0) throw new GraphError(100, 'There is no such template to delete');
  for (const template of found) {
    sim.templates.delete(templateKey(wabaId, template.name, template.language));
  }
  sim.changed();
}

export function templateById(sim: Simulation, id: string): Template {
  const found = [...sim.templates.values()].find((template) => template.id === id);
  if (found !== undefined) return found;
  throw new GraphError(100, `There is no template ${id}`, { subcode: 33 });
}

/**
 * A template sending can use. 132001 covers unknown, unapproved and other languages alike; paused
 * and disabled ones have codes of their own.
 */
export function approvedTemplate(
  sim: Simulation,
  wabaId: string,
  name: string,
  language: string,
): Template {
  const template = sim.templates.get(templateKey(wabaId, name, language));
  if (template?.status === 'APPROVED') return template;
  if (template?.status === 'PAUSED') throw new GraphError(132015, `${name} is paused`);
  if (template?.status === 'DISABLED') throw new GraphError(132016, `${name} is disabled`);
  throw new GraphError(132001, `template name (${name}) does not exist in ${language}`);
}

/** What Meta, or a test in its place, decides about a template later; each is told by webhook. */
export function decideTemplate(
  sim: Simulation,
  template: Template,
  decision: TemplateDecision,
): void {
  const { status, reason, quality, category, comingCategory } = decision;
  if (status !== undefined) {
    template.status = status;
    template.rejectedReason = reason ?? 'NONE';
    sendTemplateStatus(sim, template);
  }
  if (quality !== undefined) {
    const before = template.quality;
    template.quality = quality;
    sendTemplateQuality(sim, template, before);
  }
  if (category !== undefined || comingCategory !== undefined) {
    const before = template.category;
    template.category = category ?? template.category;
    sendTemplateCategory(sim, template, { before, coming: comingCategory });
  }
  sim.changed();
}

export function templateKey(wabaId: string, name: string, language: string): string {
  return `${wabaId} ${name} ${language}`;
}

export function listTemplates(sim: Simulation, wabaId: string): Template[] {
  return [...sim.templates.values()].filter((template) => template.wabaId === wabaId);
}

/** The template as Graph shows it. */
export function templateBody(template: Template): Record<string, unknown> {
  const { id, name, language, status, category, components, rejectedReason } = template;
  return {
    id,
    name,
    language,
    status,
    category,
    components,
    quality_score: { score: template.quality },
    ...(status === 'REJECTED' ? { rejected_reason: rejectedReason } : {}),
  };
}

export function hasPermissionRequest(template: Template): boolean {
  return template.components.some((component) => component.type === 'CALL_PERMISSION_REQUEST');
}

export function componentOf(template: Template, type: string): TemplateComponent | undefined {
  return template.components.find((component) => component.type === type);
}

/** `{{1}}` to `{{n}}`: how many there are. */
export function variableCount(text: string): number {
  return new Set(text.match(/\{\{\d+\}\}/g)).size;
}

/** The templates of the product, approved from the start on the preset account. */
export function addPresetTemplates(sim: Simulation, wabaId: string): void {
  for (const [index, template] of BUILT_IN_TEMPLATES.entries()) {
    const { name, language, category, body, samples, buttons } = template;
    sim.templates.set(templateKey(wabaId, name, language), {
      // Drawn by nobody, so that a further built-in template changes no seeded run.
      id: String(400_000_000_000_001 + index),
      wabaId,
      name,
      language,
      category,
      status: 'APPROVED',
      quality: 'UNKNOWN',
      rejectedReason: 'NONE',
      components: [
        { type: 'BODY', text: body, example: { body_text: [samples] } },
        buttons.length === 0
          ? { type: 'CALL_PERMISSION_REQUEST' }
          : {
              type: 'BUTTONS',
              buttons: buttons.map(({ kind, text }) => ({
                type: kind === 'call' ? 'VOICE_CALL' : 'QUICK_REPLY',
                text,
              })),
            },
      ],
    });
  }
}

type Draft = Pick<Template, 'name' | 'language' | 'category' | 'components'>;

function readDraft(body: unknown): Draft {
  const { name, language, category, components } = (body ?? {}) as Record<string, unknown>;
  if (typeof name !== 'string' || !/^[a-z0-9_]{1,512}$/.test(name)) {
    throw new GraphError(100, 'name must be lower-case letters, digits and underscores');
  }
  if (typeof language !== 'string' || !/^[a-z]{2,3}(_[A-Z]{2})?$/.test(language)) {
    throw new GraphError(100, 'language must be a code like en or en_US');
  }
  if (category !== 'UTILITY' && category !== 'MARKETING' && category !== 'AUTHENTICATION') {
    throw new GraphError(100, 'category must be UTILITY, MARKETING or AUTHENTICATION');
  }
  if (!Array.isArray(components)) throw new GraphError(100, 'components must be an array');
  const read = components.map(readComponent);
  checkComponents(read);
  return { name, language, category, components: read };
}

function readComponent(raw: unknown): TemplateComponent {
  const { type: rawType, format, text, example, buttons } = record(raw);
  if (typeof rawType !== 'string') throw new GraphError(100, 'component without type');
  // Meta's page writes call_permission_request in lower case, its SDKs in upper case.
  const type = rawType.toUpperCase();
  const known = ['HEADER', 'BODY', 'FOOTER', 'BUTTONS', 'CALL_PERMISSION_REQUEST'];
  if (!known.includes(type)) throw new GraphError(100, `unknown component ${rawType}`);
  if (text !== undefined && typeof text !== 'string') {
    throw new GraphError(100, `${type}: text must be a string`);
  }
  return {
    type,
    ...(typeof format === 'string' ? { format } : {}),
    ...(text === undefined ? {} : { text }),
    ...(example === undefined ? {} : { example }),
    ...(type === 'BUTTONS' ? { buttons: readButtons(buttons) } : {}),
  };
}

/** Ten buttons at most, each with a text of up to 25 characters. */
function readButtons(raw: unknown): Array<{ type: string; text: string }> {
  if (!Array.isArray(raw) || raw.length === 0 || raw.length > 10) {
    throw new GraphError(100, 'BUTTONS must have 1 to 10 buttons');
  }
  return raw.map((each) => {
    const { type, text } = record(each);
    if (typeof type !== 'string' || typeof text !== 'string' || text === '' || text.length > 25) {
      throw new GraphError(100, 'A button needs a type and a text of up to 25 characters');
    }
    if (!['QUICK_REPLY', 'VOICE_CALL', 'URL', 'PHONE_NUMBER'].includes(type)) {
      throw new GraphError(100, `unknown button type ${type}`);
    }
    return { type, text };
  });
}

function sampleCount(example: unknown): number {
  const texts: unknown = record(example).body_text;
  const first: unknown = Array.isArray(texts) ? texts[0] : undefined;
  return Array.isArray(first) ? first.length : 0;
}

function record(raw: unknown): Record<string, unknown> {
  return typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
}

function checkComponents(components: readonly TemplateComponent[]): void {
  const bodies = components.filter((component) => component.type === 'BODY');
  const text = bodies[0]?.text;
  if (bodies.length !== 1 || typeof text !== 'string' || text.trim() === '') {
    throw new GraphError(100, 'A template needs exactly one BODY with text', { subcode: 2388073 });
  }
  if (text.length > 1024) {
    throw new GraphError(100, 'BODY is longer than 1024 characters', { subcode: 2388040 });
  }
  checkVariables(text);
  if (variableCount(text) > 0 && sampleCount(bodies[0]?.example) !== variableCount(text)) {
    throw new GraphError(100, 'example.body_text must hold one sample per variable', {
      subcode: 2388043,
    });
  }
  const header = components.find((component) => component.type === 'HEADER');
  if (header?.format === 'TEXT' && variableCount(header.text ?? '') > 1) {
    throw new GraphError(100, 'HEADER may hold one variable', { subcode: 2388047 });
  }
  const types = components.map((component) => component.type);
  // The native request brings its own buttons; they cannot be mixed with others.
  if (types.includes('CALL_PERMISSION_REQUEST') && types.includes('BUTTONS')) {
    throw new GraphError(100, 'call_permission_request cannot be combined with BUTTONS');
  }
}

function checkVariables(text: string): void {
  const trimmed = text.trim();
  if (/^\{\{\d+\}\}/.test(trimmed) || /\{\{\d+\}\}$/.test(trimmed)) {
    throw new GraphError(100, "Variables can't be at the start or end of the template", {
      subcode: 2388299,
    });
  }
  if (/\}\}\s*\{\{/.test(trimmed)) {
    throw new GraphError(100, 'Variables must not stand next to each other', { subcode: 2388073 });
  }
  const numbers = [...new Set([...trimmed.matchAll(/\{\{(\d+)\}\}/g)].map((m) => Number(m[1])))];
  if (numbers.toSorted((a, b) => a - b).some((number, index) => number !== index + 1)) {
    throw new GraphError(100, 'Variables must be numbered {{1}}, {{2}} … without gaps', {
      subcode: 2388073,
    });
  }
  const words = trimmed.replaceAll(/\{\{\d+\}\}/g, ' ').match(/\p{L}+/gu)?.length ?? 0;
  if (words < numbers.length * 3) {
    throw new GraphError(100, 'Too many variables for the length of the template', {
      subcode: 2388293,
    });
  }
}

/**
 * The end of a name decides what becomes of a template, so that every path can be played:
 * `_rejected`, `_in_review` (for ever), `_paused`, `_low_quality` and `_marketing` (approved, then
 * so). Without one of them the words decide.
 */
function review(sim: Simulation, template: Template): void {
  const { name } = template;
  if (name.endsWith('_in_review') || template.status !== 'PENDING') return;
  const text = componentOf(template, 'BODY')?.text ?? '';
  const salesTalk = /\b(discount|sale|voucher|promo(tion)?|offer ends)\b/i.test(text);
  if (name.endsWith('_rejected')) reject(template, 'INVALID_FORMAT');
  else if (template.category === 'UTILITY' && salesTalk) reject(template, 'INCORRECT_CATEGORY');
  else template.status = 'APPROVED';
  sendTemplateStatus(sim, template);
  sim.changed();
  const after = LATER.find(([ending]) => name.endsWith(ending))?.[1];
  if (after === undefined || template.status !== 'APPROVED') return;
  sim.clock.after(sim.settings.templateReviewMs, () => decideTemplate(sim, template, after));
}

const LATER: ReadonlyArray<[ending: string, decision: TemplateDecision]> = [
  ['_paused', { status: 'PAUSED', reason: 'FIRST_PAUSE', quality: 'RED' }],
  ['_low_quality', { quality: 'RED' }],
  ['_marketing', { category: 'MARKETING' }],
];

function reject(template: Template, reason: string): void {
  template.status = 'REJECTED';
  template.rejectedReason = reason;
}
