import { useState } from 'react';
import { useLines } from '../api/business-hooks.ts';
import { useSyncTemplates, useTemplates } from '../api/template-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { TemplateRow } from './template-row.tsx';
import { WriteCard } from './write-card.tsx';

/** The texts that ask: what Meta says of each, and a place to write another. */
export function TemplatesPage() {
  const templates = useTemplates();
  const lineId = useLines().data?.items[0]?.id;
  const sync = useSyncTemplates();
  const all = templates.data?.items ?? [];
  const languages = [...new Set(all.map(({ language }) => language))];
  const [picked, setPicked] = useState<string>('en_US');
  const language = languages.includes(picked) ? picked : (languages[0] ?? '');
  const items = all.filter((template) => template.language === language);
  return (
    <main className="mx-auto grid max-w-360 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <Card
        title="Templates"
        aside={
          lineId !== undefined && (
            <Button disabled={sync.isPending} onClick={() => sync.mutate(lineId)}>
              {sync.isPending ? 'Asking Meta…' : 'Compare with Meta'}
            </Button>
          )
        }
      >
        {templates.error !== null && <ProblemNote error={templates.error} />}
        {sync.error !== null && <ProblemNote error={sync.error} />}
        {languages.length > 1 && (
          <div className="mb-3 max-w-60">
            <SelectField
              label="Language"
              value={language}
              options={languages.map((one) => [one, languageName(one)] as const)}
              onChange={setPicked}
            />
          </div>
        )}
        {templates.data !== undefined && all.length === 0 && (
          <p className="text-sm text-muted">No template yet. Write one beside.</p>
        )}
        <ul className="flex flex-col gap-2">
          {items.map((template) => (
            <TemplateRow key={template.id} template={template} />
          ))}
        </ul>
      </Card>
      <WriteCard />
    </main>
  );
}

/** `pt_BR` as "Brazilian Portuguese (pt_BR)". */
function languageName(code: string): string {
  const tag = code.replace('_', '-');
  try {
    return `${new Intl.DisplayNames('en', { type: 'language' }).of(tag) ?? code} (${code})`;
  } catch {
    // Meta's list has codes that are no language tags.
    return code;
  }
}
