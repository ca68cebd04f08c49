import { useState } from 'react';
import type { LineView } from '../../../src/http/api-types.ts';
import { useEndpoints } from '../api/business-hooks.ts';
import { useChangeLine } from '../api/line-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

const KEYS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#'];

/** What is ours alone: the name, who answers, the key that stops calls for good. */
export function OwnSettingsCard(props: { line: LineView }) {
  const { line } = props;
  const [name, setName] = useState(line.name);
  const [endpointId, setEndpointId] = useState(line.defaultEndpointId ?? '');
  const [key, setKey] = useState(line.optOutKey ?? '');
  const endpoints = useEndpoints().data?.items ?? [];
  const change = useChangeLine(line.id);
  const body = {
    name: name.trim(),
    defaultEndpointId: endpointId === '' ? null : endpointId,
    optOutKey: key === '' ? null : key,
  };
  return (
    <Card title={`Settings of ${line.name}`}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(body);
        }}
      >
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField label="Name" value={name} required maxLength={100} onChange={setName} />
          <SelectField
            label="Who answers its calls"
            value={endpointId}
            options={[
              ['', 'Nobody, unless a rule says so'],
              ...endpoints.map((endpoint) => [endpoint.id, endpoint.name] as const),
            ]}
            onChange={setEndpointId}
          />
          <SelectField
            label="Key that stops all calls"
            value={key}
            options={[['', 'None'], ...KEYS.map((one) => [one, one] as const)]}
            onChange={setKey}
          />
        </div>
        {key !== '' && (
          <p className="text-xs text-muted">
            Whoever presses {key} in a call is never called again. Say so at its beginning.
          </p>
        )}
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" disabled={change.isPending}>
            Save the settings
          </Button>
          <CopyCurl
            what="settings of the line"
            method="PATCH"
            path={`/v1/lines/${line.id}`}
            body={body}
          />
        </div>
        {change.error !== null && <ProblemNote error={change.error} />}
      </form>
    </Card>
  );
}
