import { digest } from './webhook-digest.ts';
import type { ItemFact } from './webhook-items.ts';
import type { FactDetail } from './whatsapp.ts';
import { templateCategoryWire, templateQualityWire, templateStatusWire } from './wire.ts';

/**
 * News about a template: its status, quality or category. The shape tells which, for Meta's
 * reference shows the quality under the name of the status field.
 */
export function parseTemplateChange(value: unknown): ItemFact | undefined {
  const detail = qualityDetail(value) ?? categoryDetail(value) ?? statusDetail(value);
  if (detail === undefined) return undefined;
  const { kind, name, language } = detail;
  const key = `${kind}:${name}:${language}:${digest(value)}`;
  return { key, at: undefined, person: {}, detail };
}

type Detail = Extract<
  FactDetail,
  { kind: 'templateStatus' | 'templateQuality' | 'templateCategory' }
>;

function statusDetail(value: unknown): Detail | undefined {
  const parsed = templateStatusWire.safeParse(value);
  if (!parsed.success) return undefined;
  const { event, reason: bare, rejection_info: info } = parsed.data;
  const reason = info?.reason ?? bare;
  const advice = info?.recommendation;
  return {
    kind: 'templateStatus',
    ...named(parsed.data),
    event: event.toUpperCase(),
    // Meta writes the word NONE where there is no reason.
    ...(reason === undefined || reason === 'NONE' ? {} : { reason }),
    ...(advice === undefined ? {} : { advice }),
  };
}

function qualityDetail(value: unknown): Detail | undefined {
  const parsed = templateQualityWire.safeParse(value);
  if (!parsed.success) return undefined;
  const quality = parsed.data.new_quality_score.toUpperCase();
  return { kind: 'templateQuality', ...named(parsed.data), quality };
}

function categoryDetail(value: unknown): Detail | undefined {
  const parsed = templateCategoryWire.safeParse(value);
  if (!parsed.success) return undefined;
  const { new_category: now, correct_category: coming } = parsed.data;
  return {
    kind: 'templateCategory',
    ...named(parsed.data),
    category: now.toUpperCase(),
    ...(coming === undefined ? {} : { comingCategory: coming.toUpperCase() }),
  };
}

function named(wire: {
  message_template_id?: string | undefined;
  message_template_name: string;
  message_template_language: string;
}) {
  return {
    metaId: wire.message_template_id ?? null,
    name: wire.message_template_name,
    // Some of Meta's samples write en-US here and en_US everywhere else.
    language: wire.message_template_language.replace('-', '_'),
  };
}
