import type { ConsentView } from '../../../src/http/api-types.ts';
import { useAsk } from '../api/business-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { CopyCurl } from './copy-curl.tsx';
import { RequestPreview } from './request-preview.tsx';

export const PURPOSES = ['your recent order', 'your support ticket', 'your appointment'] as const;

/** Step one: asks the person, saying why, and shows beforehand what they will read. */
export function AskCard(props: {
  to: string;
  lineId: string;
  name: string;
  purpose: string;
  consent: ConsentView | null;
  onName: (name: string) => void;
  onPurpose: (purpose: string) => void;
}) {
  const ask = useAsk();
  const name = props.name.trim();
  const purpose = props.purpose.trim();
  const wish = { to: props.to, name, purpose, lineId: props.lineId };
  const ready = name !== '' && purpose !== '';
  return (
    <Card title="1. Ask for permission">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !ask.isPending) ask.mutate(wish);
        }}
      >
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="Their name"
            value={props.name}
            maxLength={60}
            required
            onChange={props.onName}
          />
          <TextField
            label="Why you want to call"
            value={props.purpose}
            maxLength={200}
            required
            suggestions={PURPOSES}
            onChange={props.onPurpose}
          />
        </div>
        <RequestPreview name={name} purpose={purpose} />
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" look="primary" disabled={!ready || ask.isPending}>
            {ask.isPending ? 'Asking…' : 'Ask for permission'}
          </Button>
          <CopyCurl what="ask for permission" path="/v1/permission-requests" body={wish} />
        </div>
      </form>
      <div className="mt-3 empty:hidden">
        {ask.error !== null && <ProblemNote error={ask.error} />}
        {ask.data !== undefined && ask.data.error !== null && (
          <p role="alert" className="rounded-xl bg-bad-soft p-3 text-sm text-bad">
            {ask.data.error.message} <strong>{ask.data.error.fix}</strong>
          </p>
        )}
      </div>
      <p role="status" className="sr-only">
        {ask.isSuccess ? 'The request is on its way.' : ''}
      </p>
    </Card>
  );
}
