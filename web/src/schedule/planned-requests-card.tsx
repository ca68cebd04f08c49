import { useState } from 'react';
import type { LineView, PermissionRequestView } from '../../../src/http/api-types.ts';
import { useCancelPlanned, usePlannedRequests, usePlanRequest } from '../api/planned-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { fromLocalInput } from './schedule-words.ts';

/** Questions that are to be asked later: seen, planned and taken back. */
export function PlannedRequestsCard(props: { lines: readonly LineView[] }) {
  const planned = usePlannedRequests();
  const items = planned.data?.items ?? [];
  return (
    <Card title="Questions planned for later">
      {planned.error !== null && <ProblemNote error={planned.error} />}
      {planned.data !== undefined && items.length === 0 && (
        <p className="text-sm text-muted">
          None. A question may be planned here, and an experiment plans those that have an hour.
        </p>
      )}
      <ul className="flex flex-col">
        {items.map((request) => (
          <PlannedRequest key={request.id} request={request} />
        ))}
      </ul>
      <PlanForm lineId={props.lines[0]?.id} />
    </Card>
  );
}

function PlannedRequest(props: { request: PermissionRequestView }) {
  const { id, sendAt, purpose, text, template } = props.request;
  const cancel = useCancelPlanned();
  return (
    <li className="border-t border-edge py-2 text-sm first:border-t-0">
      <details>
        <summary className="flex cursor-pointer flex-wrap gap-x-3">
          <span className="font-semibold tabular-nums">
            {sendAt === null ? 'soon' : dayAndTime(sendAt)}
          </span>
          <span className="min-w-0 break-words">{purpose}</span>
        </summary>
        <div className="mt-2 flex flex-col items-start gap-2 pl-2">
          <p className="break-words whitespace-pre-line">{text}</p>
          <p className="text-xs text-muted">
            Template {template}. The gate judges it once more before it goes out.
          </p>
          <Button look="danger" disabled={cancel.isPending} onClick={() => cancel.mutate(id)}>
            Cancel the question
          </Button>
          {cancel.error !== null && <ProblemNote error={cancel.error} />}
        </div>
      </details>
    </li>
  );
}

function PlanForm(props: { lineId: string | undefined }) {
  const plan = usePlanRequest();
  const [draft, setDraft] = useState({ to: '', name: '', purpose: '', at: '' });
  const set = (field: keyof typeof draft) => (text: string) =>
    setDraft({ ...draft, [field]: text });
  const { lineId } = props;
  const { at, ...said } = draft;
  const sendAt = fromLocalInput(at) ?? '';
  const wish = { ...said, ...(lineId === undefined ? {} : { lineId }), sendAt };
  return (
    <details className="mt-3 text-sm">
      <summary className="cursor-pointer font-semibold">Plan a question</summary>
      <form
        className="mt-3 grid gap-3 sm:grid-cols-2"
        onSubmit={(event) => {
          event.preventDefault();
          plan.mutate(wish, { onSuccess: () => setDraft({ ...draft, to: '' }) });
        }}
      >
        <TextField
          label="Whom to ask"
          value={draft.to}
          required
          maxLength={100}
          onChange={set('to')}
        />
        <TextField
          label="How to address them"
          value={draft.name}
          required
          maxLength={100}
          onChange={set('name')}
        />
        <TextField
          label="What the call will be about"
          value={draft.purpose}
          required
          maxLength={500}
          onChange={set('purpose')}
        />
        <TextField
          label="When to ask"
          type="datetime-local"
          value={draft.at}
          required
          onChange={set('at')}
        />
        <div className="flex flex-wrap items-start gap-2 sm:col-span-2">
          <Button type="submit" look="primary" disabled={plan.isPending}>
            Plan it
          </Button>
          <CopyCurl what="plan the question" path="/v1/permission-requests" body={wish} />
        </div>
      </form>
      <p role="status">{plan.isSuccess ? 'Planned.' : ''}</p>
      {plan.error !== null && <ProblemNote error={plan.error} />}
    </details>
  );
}
