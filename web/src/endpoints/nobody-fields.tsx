import { usePrompts, useScripts } from '../api/script-hooks.ts';
import { TextField } from '../ui/field.tsx';
import { SelectField } from '../ui/select-field.tsx';
import type { EndpointDraft } from './endpoint-draft.ts';
import type { DraftChange } from './endpoint-form.tsx';

/** What happens when the customer has picked up and nobody is there. */
export function NobodyFields(props: { draft: EndpointDraft; onChange: DraftChange }) {
  const { draft, onChange } = props;
  const prompts = usePrompts().data?.items ?? [];
  const scripts = useScripts().data?.items ?? [];
  const names = prompts.map(({ name }) => [name, name] as const);
  const speaks = draft.nobody === 'announce_and_end' || draft.nobody === 'queue_with_music';
  return (
    <fieldset className="flex min-w-0 flex-col gap-3 rounded-xl border border-edge p-3">
      <legend className="px-1 text-sm font-semibold">
        When the customer has picked up and nobody is there
      </legend>
      <div className="grid gap-3 sm:grid-cols-2">
        <SelectField
          label="Then"
          value={draft.nobody}
          options={[
            ['end', 'The call ends'],
            ['announce_and_end', 'An announcement, then it ends'],
            ['queue_with_music', 'Music, and it is tried again'],
            ['script', 'A script leads the call'],
          ]}
          onChange={(nobody) => onChange({ nobody })}
        />
        {draft.nobody !== 'end' && (
          <TextField
            label="For at most, seconds"
            value={draft.nobodySeconds}
            inputMode="numeric"
            onChange={(nobodySeconds) => onChange({ nobodySeconds })}
          />
        )}
        {speaks && (
          <SelectField
            label="Prompt"
            value={draft.prompt}
            options={[
              ['', draft.nobody === 'queue_with_music' ? 'The built-in music' : 'Three beeps'],
              ...names,
            ]}
            onChange={(prompt) => onChange({ prompt })}
          />
        )}
        {speaks && draft.prompt === '' && <WordsFields draft={draft} onChange={onChange} />}
        {draft.nobody === 'script' && (
          <SelectField
            label="Script"
            value={draft.scriptId}
            options={[['', 'Pick one'], ...scripts.map(({ id, name }) => [id, name] as const)]}
            onChange={(scriptId) => onChange({ scriptId })}
          />
        )}
      </div>
    </fieldset>
  );
}

function WordsFields({ draft, onChange }: { draft: EndpointDraft; onChange: DraftChange }) {
  return (
    <>
      <TextField
        label="Or words to be spoken"
        value={draft.say}
        maxLength={500}
        hint="Where the server can speak; else beeps or music"
        onChange={(say) => onChange({ say })}
      />
      <TextField
        label="Language of the words"
        value={draft.language}
        placeholder="en"
        onChange={(language) => onChange({ language })}
      />
    </>
  );
}
