import { useId, useState } from 'react';
import { useBusiness } from '../api/business-context.tsx';
import {
  useDeletePrompt,
  usePrompts,
  useUploadPrompt,
  type PromptView,
} from '../api/script-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** Sounds of the business: uploaded, listened to, deleted. */
export function PromptsCard() {
  const prompts = usePrompts();
  const remove = useDeletePrompt();
  return (
    <Card title="Prompts">
      <UploadForm />
      {prompts.error !== null && <ProblemNote error={prompts.error} />}
      {remove.error !== null && <ProblemNote error={remove.error} />}
      <ul aria-label="Prompts" className="mt-3 flex flex-col gap-2">
        {(prompts.data?.items ?? []).map((prompt) => (
          <PromptRow
            key={prompt.id}
            prompt={prompt}
            busy={remove.isPending}
            onDelete={() => remove.mutate(prompt.id)}
          />
        ))}
      </ul>
    </Card>
  );
}

function UploadForm() {
  const fileId = useId();
  const upload = useUploadPrompt();
  const [name, setName] = useState('');
  const [file, setFile] = useState<File | null>(null);
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== null) upload.mutate({ name: name.trim(), file });
      }}
    >
      <div className="grid gap-3 sm:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-1">
          <label htmlFor={fileId} className="text-sm font-semibold">
            WAV or Ogg Opus file
          </label>
          <input
            id={fileId}
            type="file"
            accept=".wav,.ogg,.opus,audio/wav,audio/ogg"
            className="min-h-9 rounded-lg border border-edge-strong bg-card px-3 py-1.5 text-sm"
            onChange={(event) => setFile(event.target.files?.[0] ?? null)}
          />
        </div>
        <TextField
          label="Name in scripts"
          value={name}
          required
          maxLength={60}
          hint="Small letters, digits and dashes"
          onChange={setName}
        />
      </div>
      <div>
        <Button type="submit" look="primary" blocked={file === null} disabled={upload.isPending}>
          {upload.isPending ? 'Uploading…' : 'Upload the prompt'}
        </Button>
      </div>
      {upload.error !== null && <ProblemNote error={upload.error} />}
    </form>
  );
}

function PromptRow(props: { prompt: PromptView; busy: boolean; onDelete: () => void }) {
  const { id, name, durationMs } = props.prompt;
  const { client } = useBusiness();
  const [source, setSource] = useState<string | null>(null);
  // With the key, which the address of a player could not carry.
  const listen = async (): Promise<void> =>
    setSource(URL.createObjectURL(await client.fetchFile(`/v1/prompts/${id}/audio`)));
  return (
    <li className="flex flex-wrap items-center gap-3 text-sm">
      <span className="font-semibold">{name}</span>
      <span className="text-muted">{(durationMs / 1_000).toFixed(1)} s</span>
      {source === null && (
        <Button onClick={() => void listen()}>
          Listen<span className="sr-only"> to {name}</span>
        </Button>
      )}
      {source !== null && (
        <audio controls src={source} aria-label={name} className="h-9 max-w-full min-w-0" />
      )}
      <Button disabled={props.busy} onClick={props.onDelete}>
        Delete<span className="sr-only"> {name}</span>
      </Button>
    </li>
  );
}
