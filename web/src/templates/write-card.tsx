import { useState } from 'react';
import {
  useAddTemplate,
  useLint,
  type DraftWish,
  type FindingView,
} from '../api/template-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { TextArea } from '../ui/text-area.tsx';
import { useSettled } from '../ui/use-settled.ts';
import { FindingList } from './finding-list.tsx';

const EXAMPLE =
  'Hello {{1}}, may we call you on WhatsApp about {{2}}? The call is free over data or WiFi. ' +
  'You can allow or decline it below.';

/** Another text, with the linter looking over one's shoulder. */
export function WriteCard() {
  const [name, setName] = useState('');
  const [language, setLanguage] = useState('en_US');
  const [category, setCategory] = useState<DraftWish['category']>('UTILITY');
  const [body, setBody] = useState(EXAMPLE);
  const [samples, setSamples] = useState('Maria, your recent order');
  const add = useAddTemplate();
  const draft: DraftWish = {
    name: name.trim() || 'my_call_request',
    language: language.trim(),
    category,
    body,
    samples: listOf(samples),
    nativePermissionRequest: true,
  };
  const findings = useLint(useSettled(JSON.stringify(draft))).data?.findings ?? [];
  const isFaulty = findings.some(({ severity }) => severity === 'error');
  return (
    <Card title="Write a template">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isFaulty) add.mutate(draft, { onSuccess: () => setName('') });
        }}
      >
        <div className="grid gap-3 sm:grid-cols-3">
          <TextField
            label="Name"
            value={name}
            required
            maxLength={512}
            placeholder="my_call_request"
            onChange={setName}
          />
          <TextField label="Language" value={language} required onChange={setLanguage} />
          <SelectField
            label="Category"
            value={category}
            options={[
              ['UTILITY', 'Utility: appointments, support'],
              ['MARKETING', 'Marketing: only in an open chat'],
            ]}
            onChange={setCategory}
          />
        </div>
        <TextArea label="Text" value={body} maxLength={1024} onChange={setBody} />
        <TextField
          label="An example for each variable"
          value={samples}
          hint="Separated by commas; Meta’s reviewers read them"
          onChange={setSamples}
        />
        <p className="text-xs text-muted">
          WhatsApp adds its own buttons, Allow and Not now: only these give a permission to call.
        </p>
        <div>
          <Button type="submit" look="primary" blocked={isFaulty} disabled={add.isPending}>
            Keep as a draft
          </Button>
        </div>
      </form>
      {add.error !== null && <ProblemNote error={add.error} />}
      <Verdict findings={findings} />
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

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
}
