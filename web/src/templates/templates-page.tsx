import { useState } from 'react';
import { useLines } from '../api/business-hooks.ts';
import { useSyncTemplates, useTemplates } from '../api/template-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { TemplateRow } from './template-row.tsx';
import { TemplateForm } from './template-form.tsx';

/** The texts that ask: what Meta says of each, and a place to write another. */
export function TemplatesPage() {
  const lines = useLines().data?.items ?? [];
  const [lineId, setLineId] = useState<string | null>(null);
  const line = lines.find(({ id }) => id === lineId) ?? lines[0];
  const sync = useSyncTemplates();
  // Each WhatsApp Business account has its own; lines of one account share them.
  const templates = useTemplates(line?.wabaId);
  const all = templates.data?.items ?? [];
  const languages = [...new Set(all.map(({ language }) => language))];
  const [picked, setPicked] = useState<string>('en_US');
  const [changing, setChanging] = useState<string | null>(null);
  /** Counts what was written, so that the form begins anew. */
  const [turn, setTurn] = useState(0);
  const language = languages.includes(picked) ? picked : (languages[0] ?? '');
  const items = all.filter((template) => template.language === language);
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <Card
        title="Templates"
        aside={
          line !== undefined && (
            <Button disabled={sync.isPending} onClick={() => sync.mutate(line.id)}>
              {sync.isPending ? 'Asking Meta…' : 'Compare with Meta'}
            </Button>
          )
        }
      >
        {templates.error !== null && <ProblemNote error={templates.error} />}
        {sync.error !== null && <ProblemNote error={sync.error} />}
        <p role="status" className="text-sm">
          {sync.data !== undefined &&
            `Meta lists ${sync.data.listed}: ${sync.data.imported} new here, ` +
              `${sync.data.changed} changed, ${sync.data.ignored} that cannot be sent from here.`}
        </p>
        <div className="mb-3 flex flex-wrap gap-3">
          {lines.length > 1 && (
            <SelectField
              label="Of the line"
              value={line?.id ?? ''}
              options={lines.map(({ id, name }) => [id, name] as const)}
              onChange={setLineId}
            />
          )}
          <LanguagePicker languages={languages} language={language} onPick={setPicked} />
        </div>
        {templates.data !== undefined && all.length === 0 && (
          <p className="text-sm text-muted">No template yet. Write one beside.</p>
        )}
        <ul className="flex flex-col gap-2">
          {items.map((template) => (
            <TemplateRow
              key={template.id}
              template={template}
              onChange={() => setChanging(template.id)}
            />
          ))}
        </ul>
      </Card>
      <TemplateForm
        key={`${changing ?? 'new'} ${turn}`}
        lineId={line?.id}
        template={all.find(({ id }) => id === changing) ?? null}
        onSaved={(saved) => {
          setPicked(saved.language);
          setChanging(null);
          setTurn(turn + 1);
        }}
        onClose={() => setChanging(null)}
      />
    </main>
  );
}

function LanguagePicker(props: {
  languages: readonly string[];
  language: string;
  onPick: (language: string) => void;
}) {
  if (props.languages.length < 2) return null;
  return (
    <SelectField
      label="Language"
      value={props.language}
      options={props.languages.map((one) => [one, languageName(one)] as const)}
      onChange={props.onPick}
    />
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
