import { useState } from 'react';
import type { LineView } from '../../../src/http/api-types.ts';
import { useEndpoints } from '../api/business-hooks.ts';
import { useSaveLine, type LineWish } from '../api/line-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

const EMPTY = {
  name: '',
  displayNumber: '',
  phoneNumberId: '',
  wabaId: '',
  graphBaseUrl: 'https://graph.facebook.com',
  graphVersion: 'v23.0',
  accessToken: '',
  appSecret: '',
  verifyToken: '',
  defaultEndpointId: '',
};
type Draft = typeof EMPTY;
type Field = Exclude<keyof Draft, 'defaultEndpointId'>;

const PLAIN: ReadonlyArray<readonly [field: Field, label: string, hint: string]> = [
  ['name', 'Name', 'As customers see it'],
  ['displayNumber', 'Number', 'With its country code, such as +442079460000'],
  ['phoneNumberId', 'Phone number id', 'WhatsApp → API setup; not the number itself'],
  ['wabaId', 'WhatsApp Business account id', 'WhatsApp → API setup'],
  ['graphBaseUrl', 'Address of the Graph API', 'Meta’s own, or that of the simulator'],
  ['graphVersion', 'Version of the Graph API', 'Such as v23.0'],
];
const SECRET: ReadonlyArray<readonly [field: Field, label: string, hint: string]> = [
  ['accessToken', 'Access token', 'Of a system user, without an end'],
  ['appSecret', 'App secret', 'App settings → Basic'],
  ['verifyToken', 'Verify token', 'The same as at the webhook of your app'],
];

/** A number with its access to Meta. What is secret is never shown again, so it is written anew. */
export function LineForm(props: {
  /** The line whose access is renewed; null for another line. */
  line: LineView | null;
  onSaved: (line: LineView) => void;
  onClose: (() => void) | null;
}) {
  const { line, onClose } = props;
  const [draft, setDraft] = useState<Draft>(line === null ? EMPTY : draftOf(line));
  const endpoints = useEndpoints().data?.items ?? [];
  const save = useSaveLine();
  const body = bodyOf(draft, line);
  const field = (isSecret: boolean) => {
    return ([name, label, hint]: (typeof PLAIN)[number]) => (
      <TextField
        key={name}
        label={label}
        hint={hint}
        type={isSecret ? 'password' : 'text'}
        autoComplete="off"
        value={draft[name]}
        required
        onChange={(value) => setDraft({ ...draft, [name]: value })}
      />
    );
  };
  return (
    <Card
      title={line === null ? 'New line' : `Access of ${line.name}`}
      aside={onClose !== null && <Button onClick={onClose}>Close</Button>}
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate(body, { onSuccess: props.onSaved });
        }}
      >
        <div className="grid gap-3 sm:grid-cols-2">
          {PLAIN.map(field(false))}
          {SECRET.map(field(true))}
          <SelectField
            label="Who answers its calls"
            value={draft.defaultEndpointId}
            options={[
              ['', 'Chosen later'],
              ...endpoints.map(({ id, name }) => [id, name] as const),
            ]}
            onChange={(defaultEndpointId) => setDraft({ ...draft, defaultEndpointId })}
          />
        </div>
        <p className="text-xs text-muted">
          Token and secrets are sealed before they are kept, and are never shown again.
        </p>
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" look="primary" disabled={save.isPending}>
            {line === null ? 'Add the line' : 'Replace its access'}
          </Button>
          <CopyCurl
            what="save the line"
            path="/v1/lines"
            body={{ ...body, accessToken: '…', appSecret: '…', verifyToken: '…' }}
          />
        </div>
        {save.error !== null && <ProblemNote error={save.error} />}
      </form>
    </Card>
  );
}

function draftOf(line: LineView): Draft {
  const { name, displayNumber, phoneNumberId, wabaId, graphBaseUrl, graphVersion } = line;
  return {
    ...EMPTY,
    name,
    displayNumber,
    phoneNumberId,
    wabaId,
    graphBaseUrl,
    graphVersion,
    defaultEndpointId: line.defaultEndpointId ?? '',
  };
}

/** The key that ends calls is not on this form, and must not be lost by it. */
function bodyOf({ defaultEndpointId, ...draft }: Draft, line: LineView | null): LineWish {
  return {
    ...draft,
    optOutKey: line?.optOutKey ?? null,
    ...(defaultEndpointId === '' ? {} : { defaultEndpointId }),
  };
}
