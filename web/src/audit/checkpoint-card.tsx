import { useMutation } from '@tanstack/react-query';
import { useLatestCheckpoint, useVerifierKey } from '../api/audit-hooks.ts';
import { problemOf } from '../api/business-client.ts';
import { useBusiness } from '../api/business-context.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';

/** The ledger as a whole: how far it is sealed, by which key, and how to check it elsewhere. */
export function CheckpointCard() {
  const latest = useLatestCheckpoint();
  const key = useVerifierKey();
  const { client } = useBusiness();
  const saving = useMutation({
    mutationFn: () => client.download('/v1/ledger/export', 'ledger.jsonl'),
  });
  return (
    <Card
      title="The ledger"
      aside={
        <Button disabled={saving.isPending} onClick={() => saving.mutate()}>
          {saving.isPending ? 'Fetching…' : 'Export the ledger'}
        </Button>
      }
    >
      {latest.data === undefined ? (
        <NoCheckpoint error={latest.error} />
      ) : (
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-sm">
          <dt className="text-muted">Sealed</dt>
          <dd className="flex flex-wrap items-center gap-2">
            <Chip tone="good">{latest.data.size} entries</Chip>
            {dayAndTime(latest.data.at)}
          </dd>
          <dt className="text-muted">Root</dt>
          <dd className="font-mono text-xs break-all">{latest.data.root}</dd>
          <dt className="text-muted">Key</dt>
          <dd className="font-mono text-xs break-all">{key.data?.verifierKey ?? '…'}</dd>
        </dl>
      )}
      {saving.error !== null && <ProblemNote error={saving.error} />}
      <p className="mt-3 text-sm">
        Keep the key and a checkpoint outside this machine. Then nobody can change, drop or add an
        entry unseen: <code className="font-mono">askfirst audit verify ledger.jsonl</code> finds
        it.
      </p>
    </Card>
  );
}

function NoCheckpoint(props: { error: unknown }) {
  const isEmpty = props.error !== null && problemOf(props.error).status === 404;
  if (props.error !== null && !isEmpty) return <ProblemNote error={props.error} />;
  return (
    <p role="status" className="text-sm text-muted">
      {isEmpty ? 'Nothing is sealed yet: the first checkpoint comes within a minute.' : 'Loading…'}
    </p>
  );
}
