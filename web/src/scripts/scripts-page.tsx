import { useState } from 'react';
import { useSamples, useScripts, type ScriptView } from '../api/script-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ImportCard } from './import-card.tsx';
import { PromptsCard } from './prompts-card.tsx';
import { ScriptEditor } from './script-editor.tsx';

type Picked = { id: string | null; name: string; text: string };

const textOf = (script: unknown): string => JSON.stringify(script, null, 2);

/** Scripts that lead calls, and the sounds that they play. */
export function ScriptsPage() {
  const scripts = useScripts();
  const samples = useSamples();
  const [picked, setPicked] = useState<Picked | null>(null);
  const edit = ({ id, name, version, script }: ScriptView): void =>
    setPicked({ id, name: `${name}, version ${version}`, text: textOf(script) });
  return (
    <main className="mx-auto grid max-w-360 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <div className="grid min-w-0 gap-4">
        <Card title="Scripts">
          {scripts.error !== null && <ProblemNote error={scripts.error} />}
          {scripts.data?.items.length === 0 && (
            <p className="text-sm text-muted">No script yet. Begin with a sample.</p>
          )}
          <ul className="flex flex-col gap-2">
            {(scripts.data?.items ?? []).map((script) => (
              <li key={script.id} className="flex flex-wrap items-center gap-3 text-sm">
                <span className="font-semibold">{script.name}</span>
                <span className="text-muted">version {script.version}</span>
                <Button onClick={() => edit(script)}>
                  Edit<span className="sr-only"> {script.name}</span>
                </Button>
              </li>
            ))}
          </ul>
          <ul aria-label="Samples" className="mt-3 flex flex-wrap gap-2 border-t border-edge pt-3">
            {(samples.data?.items ?? []).map((sample) => {
              const name = String(sample['name']);
              return (
                <li key={name}>
                  <Button onClick={() => setPicked({ id: null, name, text: textOf(sample) })}>
                    Begin with “{name}”
                  </Button>
                </li>
              );
            })}
          </ul>
        </Card>
        <ImportCard
          onMade={(name, script) => setPicked({ id: null, name, text: textOf(script) })}
        />
        <PromptsCard />
      </div>
      {picked !== null && (
        <ScriptEditor
          key={`${picked.id ?? ''} ${picked.name}`}
          id={picked.id}
          title={picked.name}
          text={picked.text}
          onSaved={edit}
        />
      )}
    </main>
  );
}
