import { useState } from 'react';
import {
  useLint,
  useSaveTemplate,
  type DraftWish,
  type FindingView,
  type TemplateView,
} from '../api/template-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { TextArea } from '../ui/text-area.tsx';
import { useSettled } from '../ui/use-settled.ts';
import { ButtonFields } from './button-fields.tsx';
import { FindingList } from './finding-list.tsx';

const EMPTY: DraftWish = {
  name: '',
  language: 'en_US',
  category: 'UTILITY',
  header: null,
  body:
    'Hello {{1}}, may we call you on WhatsApp about {{2}}? The call is free over data or WiFi. ' +
    'You can allow or decline it below.',
  footer: null,
  samples: ['Maria', 'your recent order'],
  buttons: [],
  nativePermissionRequest: true,
};

/** A text that asks, new or in its next version, with the linter looking over one's shoulder. */
export function TemplateForm(props: {
  /** Whose WhatsApp Business account another one goes to. */
  lineId: string | undefined;
  /** Null writes another one. */
  template: TemplateView | null;
  onSaved: (saved: TemplateView) => void;
  onClose: () => void;
}) {
  const { template } = props;
  const [draft, setDraft] = useState<DraftWish>(template === null ? EMPTY : draftOf(template));
  const [samples, setSamples] = useState(draft.samples.join('\n'));
  const save = useSaveTemplate();
  const change = (part: Partial<DraftWish>): void => setDraft({ ...draft, ...part });
  const wish = { ...draft, name: draft.name.trim(), samples: linesOf(samples) };
  const linted = { ...wish, name: wish.name || 'my_call_request' };
  const findings = useLint(useSettled(JSON.stringify(linted))).data?.findings;
  const isFaulty = findings !== undefined && findings.some(({ severity }) => severity === 'error');
  return (
    <Card
      title={template === null ? 'Write a template' : `Change ${template.name}`}
      aside={template !== null && <Button onClick={props.onClose}>Close</Button>}
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (isFaulty) return;
          const id = template?.id ?? null;
          save.mutate({ id, lineId: props.lineId, draft: wish }, { onSuccess: props.onSaved });
        }}
      >
        <div className="grid gap-3 sm:grid-cols-3">
          <TextField
            label="Name"
            value={draft.name}
            required
            maxLength={512}
            disabled={template !== null}
            placeholder="my_call_request"
            onChange={(name) => change({ name })}
          />
          <TextField
            label="Language"
            value={draft.language}
            required
            disabled={template !== null}
            onChange={(language) => change({ language: language.trim() })}
          />
          <SelectField
            label="Category"
            value={draft.category}
            options={[
              ['UTILITY', 'Utility: appointments, support'],
              ['MARKETING', 'Marketing: only in an open chat'],
            ]}
            onChange={(category) => change({ category })}
          />
        </div>
        <TextArea
          label="Text"
          value={draft.body}
          maxLength={1024}
          onChange={(body) => change({ body })}
        />
        <TextArea
          label="An example for each variable, one a line"
          value={samples}
          rows={2}
          maxLength={5_000}
          onChange={setSamples}
        />
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="Header"
            value={draft.header ?? ''}
            hint="May be empty"
            maxLength={60}
            onChange={(header) => change({ header: header || null })}
          />
          <TextField
            label="Footer"
            value={draft.footer ?? ''}
            hint="May be empty"
            maxLength={60}
            onChange={(footer) => change({ footer: footer || null })}
          />
        </div>
        <ButtonFields draft={draft} onChange={change} />
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" look="primary" blocked={isFaulty} disabled={save.isPending}>
            {template === null ? 'Keep as a draft' : 'Keep as the next version'}
          </Button>
          <CopyCurl
            what="write a template"
            path="/v1/templates"
            body={{ ...linted, lineId: props.lineId }}
          />
        </div>
      </form>
      {save.error !== null && <ProblemNote error={save.error} />}
      {findings !== undefined && <Verdict findings={findings} />}
    </Card>
  );
}

function Verdict(props: { findings: readonly FindingView[] }) {
  return (
    <div className="mt-3" aria-live="polite">
      {props.findings.length === 0 ? (
        <p className="text-sm text-good">Nothing to find fault with.</p>
      ) : (
        <FindingList findings={props.findings} />
      )}
    </div>
  );
}

function draftOf(template: TemplateView): DraftWish {
  const { name, language, category, header, body, footer, samples, buttons } = template;
  const { nativePermissionRequest } = template;
  return {
    name,
    language,
    category,
    header,
    body,
    footer,
    samples,
    buttons,
    nativePermissionRequest,
  };
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((one) => one.trim())
    .filter(Boolean);
}
