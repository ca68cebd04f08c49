import { useLists } from '../api/do-not-call-hooks.ts';
import { useBusiness } from '../api/business-context.tsx';
import { useMutation } from '@tanstack/react-query';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';

/** The lists there are, with where they come from. */
export function ListsCard() {
  const lists = useLists();
  const { client } = useBusiness();
  const saving = useMutation({
    mutationFn: () => client.download('/v1/do-not-call/export', 'do-not-call.csv'),
  });
  const items = lists.data?.items ?? [];
  return (
    <Card
      title="Lists"
      aside={
        <Button disabled={saving.isPending} onClick={() => saving.mutate()}>
          Export as CSV
        </Button>
      }
    >
      {lists.error !== null && <ProblemNote error={lists.error} />}
      {saving.error !== null && <ProblemNote error={saving.error} />}
      {lists.data !== undefined && items.length === 0 && (
        <p className="text-sm text-muted">
          Nobody is on a list yet. People who say stop come onto “opt out” by themselves.
        </p>
      )}
      {items.length > 0 && (
        <div className="overflow-x-auto">
          <table className="w-full text-left text-sm">
            <thead className="text-xs text-muted">
              <tr>
                <th className="py-1 pr-3">List</th>
                <th className="py-1 pr-3 text-right">Entries</th>
                <th className="py-1 pr-3">Source</th>
                <th className="py-1">Imported</th>
              </tr>
            </thead>
            <tbody>
              {items.map((list) => (
                <tr key={list.name} className="border-t border-edge">
                  <td className="py-1.5 pr-3 font-semibold">{inWords(list.name)}</td>
                  <td className="py-1.5 pr-3 text-right tabular-nums">{list.entries}</td>
                  <td className="py-1.5 pr-3">{list.source ?? 'people themselves, API'}</td>
                  <td className="py-1.5">
                    {list.importedAt === null ? '–' : dayAndTime(list.importedAt)}
                    {list.datedOn !== null && ` (of ${list.datedOn})`}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p className="mt-3 text-xs text-muted">
        No number is kept: an entry is a keyed hash, so an export cannot be read back into numbers.
      </p>
    </Card>
  );
}
