import { useState } from 'react';
import { useImportScript } from '../api/script-hooks.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { TextArea } from '../ui/text-area.tsx';

/** Takes over a call flow of 8x8 by its action names; it opens in the editor, not yet kept. */
export function ImportCard(props: { onMade: (name: string, script: unknown) => void }) {
  const [name, setName] = useState('');
  const [text, setText] = useState('');
  const made = useImportScript();
  const document = jsonIn(text);
  const isUnreadable = text.trim() !== '' && document === undefined;
  const problems = made.data?.problems ?? [];
  return (
    <details className="rounded-2xl border border-edge bg-card p-4 shadow-sm">
      <summary className="text-base font-bold">Take over a call flow of 8x8</summary>
      <form
        className="mt-3 flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (document === undefined) return;
          made.mutate(
            { name: name.trim(), document },
            { onSuccess: ({ script }) => props.onMade(name.trim(), script) },
          );
        }}
      >
        <TextField
          label="Name of the script"
          value={name}
          required
          maxLength={100}
          onChange={setName}
        />
        <TextArea
          label="Call flow, as JSON"
          value={text}
          rows={6}
          maxLength={200_000}
          code
          onChange={setText}
        />
        {isUnreadable && (
          <p role="alert" className="text-sm text-bad">
            This is no JSON. Paste the whole flow, from its first brace to its last.
          </p>
        )}
        <div>
          <Button type="submit" blocked={document === undefined} disabled={made.isPending}>
            Open it in the editor
          </Button>
        </div>
        {made.error !== null && <ProblemNote error={made.error} />}
        {problems.length > 0 && (
          <ul aria-label="Left to do" className="flex flex-col gap-1 text-sm">
            {problems.map(({ step, field, rule, fix }) => (
              <li key={`${step ?? ''} ${field} ${rule}`} className="border-l-2 border-edge pl-3">
                <code className="font-mono text-xs">{field}</code>: {rule}. <strong>{fix}</strong>
              </li>
            ))}
          </ul>
        )}
      </form>
    </details>
  );
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
