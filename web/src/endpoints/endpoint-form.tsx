import { useState } from 'react';
import type { EndpointView } from '../../../src/http/api-types.ts';
import { useSaveEndpoint } from '../api/endpoint-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { CallingFields } from './calling-fields.tsx';
import { bodyOf, emptyTarget, type EndpointDraft } from './endpoint-draft.ts';
import { NobodyFields } from './nobody-fields.tsx';
import { TargetFields } from './target-fields.tsx';

/** As `TARGETS_MAX` of the API. */
const TARGETS_MAX = 8;

/** One endpoint, new or changed; what the API refuses is named field by field. */
export function EndpointForm(props: {
  id: string | null;
  title: string;
  draft: EndpointDraft;
  /** Names of the other endpoints. */
  taken: readonly string[];
  onSaved: (endpoint: EndpointView) => void;
  onClose: () => void;
}) {
  const { id } = props;
  const [draft, setDraft] = useState(props.draft);
  const save = useSaveEndpoint();
  const change = (part: Partial<EndpointDraft>): void => setDraft({ ...draft, ...part });
  const body = bodyOf(draft);
  const isTaken = props.taken.includes(draft.name.trim());
  return (
    <Card title={props.title} aside={<Button onClick={props.onClose}>Close</Button>}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isTaken) save.mutate({ id, body }, { onSuccess: props.onSaved });
        }}
      >
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="Name"
            value={draft.name}
            required
            maxLength={100}
            onChange={(name) => change({ name })}
          />
          <SelectField
            label="Who answers"
            value={draft.kind}
            options={[
              ['sip', 'A PBX or softphone, over SIP'],
              ['agents', 'People in their browsers'],
            ]}
            onChange={(kind) => change({ kind })}
          />
        </div>
        {isTaken && (
          <p role="alert" className="text-sm text-bad">
            Another endpoint has this name. Give it a name of its own, or change that one.
          </p>
        )}
        {draft.kind === 'sip' && <Targets draft={draft} isNew={id === null} onChange={change} />}
        {draft.kind === 'agents' && <Agents draft={draft} onChange={change} />}
        <CallingFields draft={draft} onChange={change} />
        <NobodyFields draft={draft} onChange={change} />
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" look="primary" blocked={isTaken} disabled={save.isPending}>
            {save.isPending ? 'Saving…' : id === null ? 'Add the endpoint' : 'Save the changes'}
          </Button>
          <CopyCurl
            what="save the endpoint"
            method={id === null ? 'POST' : 'PUT'}
            path={id === null ? '/v1/endpoints' : `/v1/endpoints/${id}`}
            body={body}
          />
        </div>
      </form>
      <div className="mt-3" aria-live="polite">
        {save.error !== null && <ProblemNote error={save.error} />}
      </div>
    </Card>
  );
}

export type DraftChange = (part: Partial<EndpointDraft>) => void;

function Targets(props: { draft: EndpointDraft; isNew: boolean; onChange: DraftChange }) {
  const { targets } = props.draft;
  const last = Math.max(0, ...targets.map(({ priority }) => Number(priority) || 0));
  return (
    <div className="flex flex-col gap-3">
      {targets.map((target, at) => (
        <TargetFields
          key={target.key}
          number={at + 1}
          target={target}
          keepsPassword={!props.isNew}
          onChange={(changed) =>
            props.onChange({ targets: targets.map((one) => (one === target ? changed : one)) })
          }
          onRemove={
            targets.length === 1
              ? null
              : () => props.onChange({ targets: targets.filter((one) => one !== target) })
          }
        />
      ))}
      {targets.length < TARGETS_MAX && (
        <div>
          <Button onClick={() => props.onChange({ targets: [...targets, emptyTarget(last + 10)] })}>
            Add a target to fall back on
          </Button>
        </div>
      )}
    </div>
  );
}

function Agents(props: { draft: EndpointDraft; onChange: DraftChange }) {
  const { draft, onChange } = props;
  return (
    <div className="grid gap-3 sm:grid-cols-3">
      <TextField
        label="Group of agents"
        value={draft.group}
        required
        maxLength={40}
        hint="Small letters, digits and dashes"
        onChange={(group) => onChange({ group })}
      />
      <TextField
        label="Rings each for, seconds"
        value={draft.agentRingSeconds}
        inputMode="numeric"
        onChange={(agentRingSeconds) => onChange({ agentRingSeconds })}
      />
      <TextField
        label="Pause after a call, seconds"
        value={draft.wrapUpSeconds}
        inputMode="numeric"
        onChange={(wrapUpSeconds) => onChange({ wrapUpSeconds })}
      />
      <TextField
        label="Wait for a lost page, seconds"
        value={draft.returnSeconds}
        inputMode="numeric"
        hint="The customer hears music; 0: not at all"
        onChange={(returnSeconds) => onChange({ returnSeconds })}
      />
    </div>
  );
}
