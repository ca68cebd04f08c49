import { useVersions } from '../api/journey-hooks.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { dayAndTime } from '../ui/format.ts';

/** When each version was saved; whoever is on the way keeps the version they began with. */
export function VersionList(props: { id: string }) {
  const versions = useVersions(props.id);
  return (
    <details className="mt-3 text-sm">
      <summary className="font-semibold">Versions</summary>
      {versions.error !== null && <ProblemNote error={versions.error} />}
      <ol className="mt-1 flex flex-col gap-0.5 text-muted">
        {(versions.data?.items ?? []).map(({ version, createdAt }) => (
          <li key={version}>
            version {version}, {dayAndTime(createdAt)}
          </li>
        ))}
      </ol>
    </details>
  );
}
